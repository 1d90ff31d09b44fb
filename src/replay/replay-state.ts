import type { Entry, EntryOf } from '../log/entry.ts'
import type { InheritedBalances } from '../log/inherited-balances.ts'
import { PART_LENGTH } from '../log/parts.ts'
import type { Payee } from '../log/payees.ts'
import { type Anchored, anchoredView } from '../rules/anchored.ts'
import { assignmentHeight } from '../rules/assignment.ts'
import type { Admission } from '../rules/auditors.ts'
import { type EpochRules, epochOf } from '../rules/epoch.ts'
import { epochRules } from '../rules/epoch-rules.ts'
import { openExpectedReward } from '../rules/expected-reward.ts'
import type { Accrued } from '../rules/maturing.ts'
import type { PayTo } from '../rules/pay-to.ts'
import { type Demand, priceInForce, type Quote } from '../rules/price.ts'
import { type MarketModel, type Markets, openMarkets } from '../subnet/markets.ts'
import { type Balances, openBalances } from './balances.ts'
import type { Findings } from './findings.ts'
import type { ReplaySource } from './replay-source.ts'
import { openSampleTally, type SampleTally } from './sample-tally.ts'
import { scriptOf } from './script-of.ts'
import { openStandings, type ReplayedStandings } from './standings.ts'
import type { Suspension } from './suspensions.ts'

/**
 * What the entries so far have made of the log's world, from public data alone. What an epoch has settled is let go: what
 * stays grows with workers, open jobs and the items of the datasets.
 */
export interface ReplayState {
  readonly source: ReplaySource
  readonly findings: Findings
  /** Of an epoch's lists. */
  readonly partLength: number
  readonly genesis: EntryOf<'genesis'>
  readonly rules: EpochRules
  /** The treasury's output script; null where genesis names no address that can be paid. */
  readonly treasury: Uint8Array | null
  readonly anchored: Anchored
  readonly markets: Markets
  /** By the definitions and budgets so far. */
  readonly expectedRewardMsat: ReturnType<typeof openExpectedReward>
  readonly balances: Balances
  /** What genesis took over from an older log; null where it names none, or what it names can't be read. */
  inherited: InheritedBalances | null
  /** Whether nothing of that is unmatured any more. */
  isInheritanceMatured: boolean
  /** By key, hex; in the order of registration. */
  readonly workers: Map<string, ReplayedWorker>
  /** In the order of the log. */
  readonly admissions: Admission[]
  /** By id, hex: leased and not settled. */
  readonly jobs: Map<string, ReplayedJob>
  /** In order, not settled. */
  submissions: ReplayedSubmission[]
  /** By id, hex: those that may still get a verdict. */
  readonly receipts: Map<string, ReplayedReceipt>
  /** Items that were ever answered, by subnet and model: true where a receipt stands, so that no other is paid. */
  readonly answered: Map<string, Map<number, boolean>>
  /** By list, hex: the digests of its inputs, one after another; null where the list can't be read. */
  readonly datasets: Map<string, Uint8Array | null>
  /** By name. */
  readonly requesters: Map<string, ReplayedRequester>
  /** By subnet. */
  readonly prices: Map<string, ReplayedPrices>
  /** In msat per 10^15 units, by the quotes so far. */
  priceAt(subnet: string, epoch: number): bigint
  readonly budgets: Map<number, { readonly entry: number; readonly msat: bigint }>
  /** By epoch, settled, or from the log before: what has neither matured nor been forfeited. */
  readonly accruals: Map<
    number | 'inherited',
    { readonly isMatured: boolean; readonly rows: readonly Accrued[] }
  >
  /** Keys, hex, that the `epoch` entries so far credit for items, in their order. */
  readonly earners: { readonly entry: number; readonly workers: readonly string[] }[]
  readonly standings: ReplayedStandings
  /** By key, hex, oldest first: the entries that suspended a worker, and that let it return. */
  readonly suspensions: Map<string, Suspension[]>
  /** What the log has to go on with: entries that are written together with the last one. */
  expected: Entry[]
  nextEpoch: number
  /** A block that was mined before the entry at hand was logged: an earlier one names it. */
  knownHeight: number
  readonly payouts: ReplayedPayout[]
  /** Coins that are or were the treasury's, by `txid:vout`. */
  readonly coins: Map<string, ReplayedCoin>
  /** The subnets that ever were private, and the comparisons that outsiders could not make again. */
  readonly privateWork: { readonly subnets: Set<string>; comparisons: number }
  readonly sample: SampleTally
  /** False once a payment could not be read: what it left is not known. */
  areCoinsKnown: boolean
}

interface ReplayedRequester {
  /** Of its deposits; null where the address is none. */
  readonly script: Uint8Array | null
  readonly refundAddress: string
}

interface ReplayedWorker {
  readonly key: Uint8Array
  /** As registered. */
  readonly address: string
  /** The registration, then every change. */
  readonly declarations: PayTo[]
  readonly entry: number
  nextSequence: number
  previous: Uint8Array
}

/** There are as many as an epoch's receipts: bytes of its own are held as hex, which takes a third of an array's memory. */
export interface ReplayedJob {
  /** Id. */
  readonly hex: string
  readonly entry: number
  /** Key, hex. */
  readonly worker: string
  readonly epoch: number
  readonly leasedMs: number
  readonly subnet: string
  readonly model: Uint8Array
  /** The commitments. */
  readonly input: string
  readonly origin: string
  readonly items: number
  readonly units: bigint
  isSubmitted: boolean
  isRefunded: boolean
}

interface ReplayedPrices {
  readonly quotes: Quote[]
  /** Of the settled epochs in sight. */
  settled: Demand[]
  /** How many of them were settled since the last quote. */
  fresh: number
}

export interface ReplayedSubmission {
  readonly entry: number
  readonly id: Uint8Array
  readonly worker: Uint8Array
  /** Before this entry: what the audit rate follows. */
  readonly unmaturedMsat: bigint
  readonly receipts: ReplayedReceipt[]
}

export interface ReplayedReceipt {
  /** Id. */
  readonly hex: string
  readonly position: number
  readonly job: ReplayedJob
  readonly submission: ReplayedSubmission
  /** The commitment. */
  readonly output: string
  /** As submitted: what counted for its job, and the reward if the job is of the open dataset. */
  readonly market: MarketModel
  readonly rewardMsat: bigint
  /** The reward if it is not. */
  readonly feeMsat: bigint
  readonly rounds: AuditRound[]
  readonly fate: Fate
  /** Digest of the output bundle, once it is opened. */
  outputDigest: Uint8Array | null
}

/** Null while undecided. */
export interface Fate {
  verdict: 'pass' | 'fail' | 'void' | null
  /** The entry that decided. */
  entry: number
}

export interface AuditRound {
  /** Key, hex. */
  readonly auditor: string
  readonly commitment: Uint8Array | null
  /** The entry that says the verdict; that of the commitment until then. */
  entry: number
  verdict: 'pass' | 'fail' | 'inconclusive' | null
  /** Digest of the auditor's own output; null where it showed none. */
  outputs: Uint8Array | null
  /** It had its time, and showed nothing. */
  isSilent: boolean
}

export interface ReplayedPayout {
  readonly number: number
  readonly entry: number
  /** The tip at which it was planned. */
  readonly height: number
  readonly input: EntryOf<'payout'>['input']
  readonly payees: readonly Payee[]
  readonly totalSats: bigint
  isSettled: boolean
}

export interface ReplayedCoin {
  readonly txid: string
  readonly vout: number
  readonly sats: bigint
  /** Null where it is not known. */
  readonly script: Uint8Array | null
  /** That made it the treasury's. */
  readonly entry: number
  isSpent: boolean
}

export function openReplayState(
  source: ReplaySource,
  findings: Findings,
  genesis: EntryOf<'genesis'>,
  partLength = PART_LENGTH,
): ReplayState {
  const markets = openMarkets()
  const workers: ReplayState['workers'] = new Map()
  const budgets: ReplayState['budgets'] = new Map()
  const booked = (epoch: number) => budgets.get(epoch)?.msat ?? 0n
  const rules = epochRules(genesis)
  const anchored = anchoredView(
    source.anchors.map((anchor, index) => ({ ...anchor, index, state: 'final' as const })),
  )
  const prices: ReplayState['prices'] = new Map()
  const priceAt = (name: string, epoch: number) => {
    const firstMsat = markets.subnetsAt(epoch).find((one) => one.name === name)?.price ?? 0n
    const size = anchored.sizeAt(assignmentHeight(epoch, rules))
    return priceInForce(firstMsat, prices.get(name)?.quotes ?? [], epoch, size)
  }
  return {
    source,
    findings,
    partLength,
    genesis,
    rules,
    treasury: scriptOf(genesis.treasury, genesis.network),
    anchored,
    markets,
    expectedRewardMsat: openExpectedReward(markets, { booked }, { at: priceAt }, genesis.auditBasisPoints),
    balances: openBalances(),
    inherited: null,
    isInheritanceMatured: false,
    workers,
    admissions: [],
    jobs: new Map(),
    submissions: [],
    receipts: new Map(),
    answered: new Map(),
    datasets: new Map(),
    requesters: new Map(),
    prices,
    priceAt,
    budgets,
    accruals: new Map(),
    earners: [],
    standings: openStandings((worker) => workers.get(worker)?.address ?? worker),
    suspensions: new Map(),
    expected: [],
    nextEpoch: 0,
    knownHeight: 0,
    payouts: [],
    coins: new Map(),
    privateWork: { subnets: new Set(), comparisons: 0 },
    sample: openSampleTally(),
    areCoinsKnown: true,
  }
}

/** What items are numbered in. */
export function placeOf({ subnet, model }: ReplayedJob): string {
  return `${subnet}/${Buffer.from(model).toString('hex')}`
}

/** The epochs one of which comes after the next block's, as far as the entry's place in log and chain tells when it was logged. */
export function comingEpochs(
  state: ReplayState,
  entry: number,
): { readonly from: number; readonly to: number } {
  const after = (height: number) => (epochOf(height, state.rules) ?? -1) + 1
  return { from: after(state.knownHeight), to: after(latestTip(state, entry) + 1) }
}

/**
 * The highest tip at which the entry can have been logged: its anchor was mined on top of it. A reorganisation may since
 * have taken blocks below it, but never one that is final.
 */
export function latestTip({ anchored, rules, source }: ReplayState, entry: number): number {
  const anchor = anchored.first(entry)
  return anchor === null ? source.chain.tipHeight : anchor.height - 1 + rules.finalDepth
}
