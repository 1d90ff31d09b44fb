import { EPOCHS } from './setting.ts'

/** What a worker knows before an epoch. Verdicts are public, so it knows its score as everybody does. */
interface View {
  epoch: number
  maturityEpochs: number
  /** Of its keys, the highest. */
  score: bigint
}

/** What it does then with each of its keys. */
export interface Move {
  /** At most: no key answers more than the items that are drawn for it. */
  receipts: number
  /** Share of them that are cheated. */
  cheatShare: number
  /** Whether it does so while all others rest: who waits can choose its epoch. */
  isThin: boolean
}

export interface Strategy {
  name: string
  what: string
  move(view: View): Move
  /** Keys that it works under; a suspended one is replaced by a new one at once, in every strategy. */
  keys: number
  /** Whether it works honestly under a key that is audited always, as every new one is. */
  waits: boolean
  /** Of an honest receipt's cost. */
  cheatCost: number
  /** Chance that an honest auditor's comparison fails a cheated receipt. */
  detection: number
  /** Auditors that pass it whatever it does, of the twelve. */
  bribedAuditors: number
  /** Unmatured rewards bought from oneself, in honest epochs' rewards: nothing is lost with them, forfeits refund requesters first. */
  shamEpochs: number
  /** Whether it computes the audits that it draws itself. */
  audits: boolean
  /** Honest work under as many keys, which the floor has to keep it below; null where no floor can. */
  below: Strategy | null
}

/** Seldom enough for the stake to be there again. */
const THIN_EVERY_EPOCHS = 4

/** The least that calibration lets a subnet claim (compute/compare/calibrate.ts). */
const LEAST_DETECTION = 0.9

function cheating(cheatShare: number): () => Move {
  return () => ({ receipts: Number.POSITIVE_INFINITY, cheatShare, isThin: false })
}

const HONEST: Strategy = {
  name: 'honest',
  what: 'computes everything, audits what it draws',
  move: cheating(0),
  keys: 1,
  waits: true,
  cheatCost: 0,
  detection: 1,
  bribedAuditors: 0,
  shamEpochs: 0,
  audits: true,
  below: null,
}

/** Items are drawn by key, and a key costs nothing but its first epoch, as one of the newcomers. */
const MANY_KEYS: Strategy = {
  ...HONEST,
  name: 'many-keys',
  what: 'honest under ten keys: answers all that is drawn for them',
  keys: 10,
}

/** The first is honesty, which all others are measured by. */
export const STRATEGIES: readonly [Strategy, ...Strategy[]] = [
  HONEST,
  cheat({ name: 'lazy', what: 'skips a tenth of the work', move: cheating(0.1) }),
  cheat({ name: 'garbage', what: 'computes nothing, sends anything', move: cheating(1), waits: false }),
  cheat({
    name: 'cheaper-model',
    what: 'runs a model of half the cost, caught nine times in ten',
    move: cheating(1),
    cheatCost: 0.5,
    detection: LEAST_DETECTION,
  }),
  cheat({ name: 'copying', what: "sends another job's outputs for three in ten", move: cheating(0.3) }),
  cheat({
    name: 'burst',
    what: 'works, lets all but one epoch of its rewards mature, then sends an epoch of garbage',
    move: burst,
  }),
  cheat({
    name: 'trust-then-cheat',
    what: 'honest all its life, then an epoch of garbage to leave with',
    move: ({ epoch }) => cheating(epoch < EPOCHS - 1 ? 0 : 1)(),
  }),
  cheat({
    name: 'thin-market',
    what: 'honest, but for a single garbage receipt whenever nobody else works',
    move: pounce,
  }),
  MANY_KEYS,
  cheat({
    name: 'sybil',
    what: 'skips a tenth of all that is drawn for its ten keys',
    move: cheating(0.1),
    keys: MANY_KEYS.keys,
    below: MANY_KEYS,
  }),
  cheat({
    name: 'self-dealing',
    what: 'skips a tenth behind ten epochs of rewards that it bought from itself',
    move: cheating(0.1),
    shamEpochs: 10,
  }),
  cheat({
    name: 'colluding',
    what: 'skips a tenth; four of twelve auditors look away',
    move: cheating(0.1),
    bribedAuditors: 4,
  }),
  cheat({ name: 'abstaining', what: 'works honestly, never audits', audits: false }),
  // No floor but 1 deters what the statistic can't tell from honest fails: shown beside its bound, and not counted.
  {
    ...cheat({
      name: 'trickle',
      what: 'skips a twentieth, but only while nothing is held against it',
      move: ({ score }) => cheating(score === 0n ? 0.05 : 0)(),
    }),
    below: null,
  },
]

function cheat(changes: Pick<Strategy, 'name' | 'what'> & Partial<Strategy>): Strategy {
  return { ...HONEST, below: HONEST, ...changes }
}

/** Honest until the stake is built, idle until hardly anything is left to lose, then the burst; and again. */
function burst({ epoch, maturityEpochs }: View): Move {
  const place = epoch % (2 * maturityEpochs + 1)
  if (place <= maturityEpochs) return cheating(0)()
  const isBurst = place === 2 * maturityEpochs
  return isBurst ? cheating(1)() : { receipts: 0, cheatShare: 0, isThin: false }
}

/** One receipt draws hardly any audit; were it paid all that was offered, it would earn as much as ten thousand. */
function pounce({ epoch }: View): Move {
  const isThin = epoch % THIN_EVERY_EPOCHS === THIN_EVERY_EPOCHS - 1
  return isThin ? { receipts: 1, cheatShare: 1, isThin } : cheating(0)()
}
