import type { Anchorer } from '../../anchor/anchorer.ts'
import type { Node } from '../../anchor/node.ts'
import type { Payer } from '../../anchor/payer.ts'
import { MSAT_PER_SAT } from '../rules/msat-per-sat.ts'
import type { Books } from './books.ts'
import { changeCoins } from './change-coins.ts'
import type { Genesis } from './genesis.ts'
import { RefusedError } from './refused-error.ts'
import type { WatchedKeys } from './watch-keys.ts'

interface ReconciliationRow {
  readonly what: string
  readonly booksMsat: bigint
  readonly chainMsat: bigint
  readonly ok: boolean
}

export interface Reconciliation {
  readonly height: number
  readonly rows: readonly ReconciliationRow[]
  /** Accounts whose balance isn't the sum of their transfers: quarantined. */
  readonly inconsistent: readonly string[]
  readonly ok: boolean
}

/** The books, and what shows the chain that they are held against. */
export interface BothSides {
  readonly books: Books
  readonly node: Node
  readonly watched: Pick<WatchedKeys, 'treasuryCoins'>
}

/** What spends: the chain of seals from its first one, and the treasury. */
export interface Spenders {
  readonly genesis: Genesis
  readonly anchorer: Pick<Anchorer, 'anchors'>
  readonly payer: Payer
}

/** Blocks rarely come twice within one reading; when they do, as on a chain that is catching up, nothing can be said. */
const MAX_READINGS = 3

/**
 * Holds the books against bitcoind, to the satoshi: the treasury's coins, the seal, the payouts with their fees, and
 * that what is owed never exceeds what is there. Read at one tip: again when a block came in between. Throws
 * RefusedError 503 `chain_moved`, RpcError, NodeError.
 */
export async function reconcile(sides: BothSides, spenders: Spenders): Promise<Reconciliation> {
  for (let reading = 0; reading < MAX_READINGS; reading += 1) {
    const { height, hash } = await sides.node.chain()
    const reconciliation = await readAt(height, sides, spenders)
    if ((await sides.node.chain()).hash === hash) return reconciliation
  }
  throw new RefusedError(
    503,
    'chain_moved',
    `a block came during each of ${MAX_READINGS} readings; try again`,
  )
}

async function readAt(height: number, sides: BothSides, spenders: Spenders): Promise<Reconciliation> {
  const rows = [
    await treasuryRow(sides, spenders),
    await sealRow(sides, spenders),
    payoutRow(sides, spenders),
    liabilitiesRow(sides),
  ]
  const inconsistent = sides.books.ledger.check().map(({ account }) => account)
  return { height, rows, inconsistent, ok: inconsistent.length === 0 && rows.every(({ ok }) => ok) }
}

/** Coins in the wallet, and what is on its way: deposits not final yet, payouts sent but not settled. */
async function treasuryRow({ books, watched }: BothSides, { payer }: Spenders): Promise<ReconciliationRow> {
  const booked = books.db
    .prepare<[string, number], bigint>('SELECT 1 FROM deposit WHERE txid = ? AND vout = ?')
    .pluck()
  const change = changeCoins(payer)
  const coins = (await watched.treasuryCoins(0)).filter(
    ({ txid, vout }) => change.has(`${txid}:${vout}`) || booked.get(txid, vout) !== undefined,
  )
  const coinsSats = coins.reduce((sum, { valueSats }) => sum + valueSats, 0n)
  const leavingSats = payer
    .payouts()
    .filter(({ state }) => state === 'broadcast' || state === 'confirmed')
    .reduce((sum, { outputs, feeSats }) => sum + outputs.reduce((s, o) => s + o.valueSats, feeSats), 0n)
  const booksMsat = books.ledger.balance('treasury').postedMsat
  return row('treasury', booksMsat, (coinsSats + leavingSats) * MSAT_PER_SAT)
}

/** The last seal in the chain holds the first one's coins and every top-up, less the fees of every anchor in the chain. */
async function sealRow({ node }: BothSides, { genesis, anchorer }: Spenders): Promise<ReconciliationRow> {
  const inChain = anchorer.anchors().filter(({ state }) => state === 'mined' || state === 'final')
  const addedSats = inChain.reduce((sum, { topUpSats, feeSats }) => sum + topUpSats - feeSats, 0n)
  const last = inChain.at(-1)
  const outpoint =
    last?.txid === undefined || last.txid === null
      ? { txid: Buffer.from(genesis.seal.txid).reverse().toString('hex'), vout: genesis.seal.vout }
      : { txid: last.txid, vout: 0 }
  const coin = await node.txOut(outpoint, { mempool: false })
  return row('seal', (genesis.seal.sats + addedSats) * MSAT_PER_SAT, (coin?.valueSats ?? 0n) * MSAT_PER_SAT)
}

/** What the ledger says was paid with fees, and what the settled payout transactions took from the treasury. */
function payoutRow({ books }: BothSides, { payer }: Spenders): ReconciliationRow {
  const paidMsat = books.db
    .prepare<[], bigint>(
      `SELECT coalesce(sum(amount_msat), 0) FROM ledger_transfer WHERE code IN ('payout_settled', 'payout_fee')`,
    )
    .pluck()
    .get()
  const chainSats = payer
    .payouts()
    .filter(({ state }) => state === 'settled')
    .reduce((sum, { inputs, payment, child }) => {
      const spentSats = inputs.reduce((s, { valueSats }) => s + valueSats, 0n)
      return sum + spentSats - ((child ?? payment)?.changeSats ?? 0n)
    }, 0n)
  return row('payouts and fees', paidMsat ?? 0n, chainSats * MSAT_PER_SAT)
}

/** Everything owed, the reserve included, is covered by treasury, fees spent and coins lost: debits equal credits. */
function liabilitiesRow({ books }: BothSides): ReconciliationRow {
  const assets = new Set<string>(['treasury', 'fees', 'inherited', 'lost'])
  let owedMsat = 0n
  let heldMsat = 0n
  for (const { name, postedMsat } of books.ledger.accounts()) {
    if (assets.has(name)) heldMsat += postedMsat
    else owedMsat += postedMsat
  }
  return row('liabilities', owedMsat, heldMsat)
}

function row(what: string, booksMsat: bigint, chainMsat: bigint): ReconciliationRow {
  return { what, booksMsat, chainMsat, ok: booksMsat === chainMsat }
}
