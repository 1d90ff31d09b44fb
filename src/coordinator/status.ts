import type { AnchorRecord } from '../../anchor/anchor-record.ts'
import type { Method } from '../../anchor/anchor-transaction.ts'
import type { PayoutRecord } from '../../anchor/payer.ts'
import { maturedAccount, payoutAccount, unmaturedAccount } from '../ledger/accounts.ts'
import { prepareBalancesByKind } from '../ledger/balances-by-kind.ts'
import type { Standing } from '../rules/cusum.ts'
import { epochRules } from '../rules/epoch-rules.ts'
import type { Coordinator, OpenHouse } from './coordinator.ts'
import type { EnergySum } from './energy-tally.ts'
import { epochNow } from './epoch-now.ts'
import { haltOf } from './halt.ts'
import { type EpochReconciliation, lastReconciliation } from './reconcile-epochs.ts'
import { type SubnetPrices, subnetPrices } from './subnet-prices.ts'
import type { WitnessStatus } from './witnessing.ts'

/** Everything that an operator's screen shows, read at one moment. Money is bigint; who sends it writes decimal strings. */
export interface Status {
  readonly network: string
  readonly origin: string
  readonly anchorAddress: string
  readonly treasuryAddress: string
  /** Height that the last whole round saw; null while starting. */
  readonly height: number | null
  readonly error: string | null
  readonly log: { readonly size: number; readonly verifierKey: string }
  /** Those that cosign the log, in the order of the configuration. */
  readonly witnesses: readonly WitnessStatus[]
  /** Null until the first seal is funded. */
  readonly open: OpenStatus | null
}

export interface OpenStatus {
  /** Of the anchors. */
  readonly method: Method
  readonly epoch: number | null
  readonly epochRules: ReturnType<typeof epochRules>
  readonly work: Readonly<Record<WorkFigure, number>>
  readonly audits: Readonly<Record<AuditFigure, number>>
  /** Bytes of inputs and outputs: held now, and removed once retention was over. Where space is short no work begins. */
  readonly data: {
    readonly heldBytes: number
    readonly collectedBytes: number
    readonly isSpaceShort: boolean
  }
  /** Those in force, by name. */
  readonly subnets: readonly SubnetStatus[]
  /** Names of those in force whose work outsiders can't recheck. */
  readonly privateSubnets: readonly string[]
  readonly anchors: readonly AnchorStatus[]
  /** Why the log takes nothing more, or null. */
  readonly halted: string | null
  readonly stalled: { readonly code: string; readonly detail: string; readonly advice: string } | null
  readonly runwayBlocks: number | null
  readonly epochs: readonly EpochStatus[]
  /** Of the newest settled epoch. */
  readonly reconciled: EpochReconciliation | null
  readonly workers: readonly WorkerStatus[]
  /** Models that unrelated workers fail on together: nothing of theirs matures until the operator says why. */
  readonly frozen: readonly { readonly model: string; readonly entry: number }[]
  readonly payouts: readonly PayoutStatus[]
  /** Why the payout under way can't go on now, or null. */
  readonly payoutTrouble: string | null
  /** The kill switch, while it is on. */
  readonly payoutsStopped: { readonly reason: string; readonly sinceMs: number } | null
  /** Of the books, by kind of account: one by one they are paged. */
  readonly balances: readonly { readonly kind: string; readonly msat: bigint }[]
}

type WorkFigure =
  | 'requestsOpen'
  | 'jobsLeased'
  | 'jobsAnswered'
  | 'receipts'
  | 'undrawn'
  | 'itemsAssigned'
  | 'itemsDone'
type AuditFigure = 'load' | 'limit' | 'rounds' | 'sampled' | 'undecided' | 'passed' | 'failed' | 'void'

interface SubnetStatus extends Omit<SubnetPrices, 'definition'> {
  readonly name: string
  readonly energy: readonly Omit<EnergySum, 'subnet'>[]
}

type AnchorStatus = Pick<AnchorRecord, 'index' | 'state' | 'size' | 'txid' | 'vsize' | 'feeSats' | 'height'>

interface EpochStatus {
  readonly number: number
  readonly budgetMsat: bigint
  readonly settled: boolean
  readonly matured: boolean
  readonly accruedMsat: bigint
}

export interface WorkerStatus {
  readonly worker: string
  readonly address: string
  readonly receipts: number
  readonly unmaturedMsat: bigint
  readonly maturedMsat: bigint
  readonly paidMsat: bigint
  readonly standing: Standing
  readonly forfeitedMsat: bigint
}

interface PayoutStatus extends Pick<PayoutRecord, 'feeSats' | 'height' | 'trouble'> {
  readonly number: number
  readonly totalSats: bigint
  readonly paidSats: bigint
  readonly state: string
  readonly txid: string | null
  readonly vsize: number
  /** Transactions made for it so far. */
  readonly attempts: number
  /** The treasury's own, which spends the change and pays for both. */
  readonly child: { readonly txid: string; readonly height: number | null } | null
}

/** The newest anchors that a status carries; the rest is paged. */
const MAX_ANCHORS = 1_000

export function statusOf(coordinator: Coordinator): Status {
  const { config, books } = coordinator
  const house = coordinator.house()
  return {
    network: config.network,
    origin: config.origin,
    anchorAddress: coordinator.anchorAddress,
    treasuryAddress: coordinator.treasuryAddress,
    height: coordinator.advancedTo(),
    error: coordinator.lastError()?.message ?? null,
    log: { size: books.log.size(), verifierKey: books.log.verifierKey },
    witnesses: coordinator.witnessing.list(),
    open: house === null ? null : openStatus(coordinator, house),
  }
}

function openStatus(coordinator: Coordinator, { genesis, desks, anchorer, payer }: OpenHouse): OpenStatus {
  const { books } = coordinator
  const epoch = epochNow(coordinator, genesis)
  const count = (sql: string, ...params: unknown[]) =>
    Number(
      books.db
        .prepare<unknown[], bigint>(sql)
        .pluck()
        .get(...params),
    )
  const sentById = new Map(payer.payouts().map((sent) => [sent.id, sent]))
  const verdicts = verdictsOf(coordinator)
  const open = desks.audits.open()
  const anchoring = anchorer.state()
  const { stalled, runwayBlocks } = anchoring
  const subnets = subnetPrices(desks, epoch)
  const energy = Map.groupBy(desks.energy.all(), ({ subnet }) => subnet)
  return {
    method: genesis.method,
    epoch,
    epochRules: epochRules(genesis),
    work: {
      requestsOpen: desks.requests.length,
      jobsLeased: count(`SELECT count(*) FROM job WHERE state = 'leased'`),
      jobsAnswered: count(`SELECT count(*) FROM job WHERE state = 'answered'`),
      receipts: verdicts.receipts,
      undrawn: count('SELECT count(*) FROM submission WHERE drawn_height IS NULL'),
      itemsAssigned: count(
        `SELECT count(*) FROM item WHERE epoch IS ? AND state IN ('open', 'leased') AND assignee IS NOT NULL
            AND assignee NOT IN (SELECT worker FROM standing WHERE standing = 'suspended')`,
        epoch,
      ),
      itemsDone: count(`SELECT count(*) FROM item WHERE state = 'done'`),
    },
    audits: {
      ...desks.capacity.figures(epoch ?? 0),
      rounds: open.rounds,
      // Only what was sampled has a verdict.
      sampled: open.receipts + verdicts.passed + verdicts.failed + verdicts.void,
      undecided: open.receipts,
      passed: verdicts.passed,
      failed: verdicts.failed,
      void: verdicts.void,
    },
    data: { ...desks.retention.sums(), isSpaceShort: desks.leases.isSpaceShort() },
    subnets: subnets.map(({ definition: { name }, ...prices }) => ({
      name,
      ...prices,
      energy: energy.get(name)?.map(({ subnet, ...measured }) => measured) ?? [],
    })),
    privateSubnets: subnets.flatMap(({ definition: { name, privacy } }) =>
      privacy === 'private' ? [name] : [],
    ),
    anchors: anchorer
      .anchors(Math.max(0, anchorer.count() - MAX_ANCHORS))
      .map(({ index, state, size, txid, vsize, feeSats, height: at }) => ({
        index,
        state,
        size,
        txid,
        vsize,
        feeSats,
        height: at,
      })),
    halted: haltOf(anchoring),
    stalled,
    runwayBlocks,
    epochs: epochsOf(coordinator),
    reconciled: lastReconciliation(books),
    workers: workersOf(coordinator),
    frozen: desks.standings.frozen(),
    payoutTrouble: desks.payouts.trouble(),
    payoutsStopped: payer.stopped(),
    payouts: desks.payouts.list().map(({ number, totalSats, paidSats, state }) => {
      const sent = sentById.get(payoutAccount(number))
      return {
        number,
        totalSats,
        paidSats,
        state: sent === undefined || state !== 'logged' ? state : sent.state,
        txid: sent?.payment?.txid ?? null,
        vsize: sent?.payment?.vsize ?? 0,
        attempts: sent?.attempts.length ?? 0,
        child:
          sent?.child == null ? null : { txid: sent.child.txid, height: sent.child.block?.height ?? null },
        trouble: sent?.trouble ?? null,
        feeSats: sent?.feeSats ?? 0n,
        height: sent?.height ?? null,
      }
    }),
    balances: prepareBalancesByKind(books.db)().map(([kind, msat]) => ({ kind, msat })),
  }
}

function verdictsOf({ books }: Coordinator) {
  const sums = books.db
    .prepare<[], [bigint, bigint, bigint, bigint]>(
      'SELECT coalesce(sum(receipts), 0), coalesce(sum(passed), 0), coalesce(sum(failed), 0), coalesce(sum(void), 0) FROM worker_tally',
    )
    .raw()
    .get()
  const [receipts = 0, passed = 0, failed = 0, voided = 0] = (sums ?? []).map(Number)
  return { receipts, passed, failed, void: voided }
}

function epochsOf({ books }: Coordinator): EpochStatus[] {
  const rows = books.db
    .prepare<
      [],
      { number: bigint; budget_msat: bigint; settled: bigint; matured_entry: bigint | null; accrued: bigint }
    >(
      `SELECT number, budget_msat, settled, matured_entry, coalesce(sum(msat), 0) AS accrued
         FROM epoch LEFT JOIN accrual ON accrual.epoch = epoch.number GROUP BY number ORDER BY number DESC LIMIT 100`,
    )
    .all()
  return rows.map((row) => ({
    number: Number(row.number),
    budgetMsat: row.budget_msat,
    settled: row.settled === 1n,
    matured: row.matured_entry !== null,
    accruedMsat: row.accrued,
  }))
}

interface WorkerRow {
  key: Uint8Array
  address: string
  receipts: bigint
  paid: bigint
  standing: Standing
  forfeited: bigint
}

function workersOf({ books }: Coordinator): WorkerStatus[] {
  const rows = books.db
    .prepare<[], WorkerRow>(
      `SELECT key, address,
              coalesce((SELECT receipts FROM worker_tally WHERE worker_tally.worker = worker.key), 0) AS receipts,
              (SELECT coalesce(sum(msat), 0) FROM paid
                WHERE account = 'worker/' || lower(hex(worker.key)) || '/matured') AS paid,
              coalesce((SELECT standing FROM standing WHERE standing.worker = worker.key), 'good') AS standing,
              (SELECT coalesce(sum(forfeited_msat), 0) FROM suspension WHERE suspension.worker = worker.key) AS forfeited
         FROM worker ORDER BY entry_index LIMIT 1000`,
    )
    .all()
  return rows.map(({ key, address, receipts, paid, standing, forfeited }) => {
    const worker = Buffer.from(key).toString('hex')
    return {
      worker,
      address,
      receipts: Number(receipts),
      unmaturedMsat: books.ledger.balance(unmaturedAccount(worker)).postedMsat,
      maturedMsat: books.ledger.balance(maturedAccount(worker)).postedMsat,
      paidMsat: paid,
      standing,
      forfeitedMsat: forfeited,
    }
  })
}
