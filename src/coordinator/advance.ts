import type { Anchorer } from '../../anchor/anchorer.ts'
import type { Node } from '../../anchor/node.ts'
import { txidBytes } from '../log/txid.ts'
import { anchoredView } from '../rules/anchored.ts'
import type { Desks } from './desks.ts'
import { doubtOf, haltOf } from './halt.ts'
import { UnjudgedError } from './unjudged-error.ts'
import type { WatchedKeys } from './watch-keys.ts'

/** What one round did, for the log of events. */
export interface Advance {
  readonly tip: number
  readonly deposits: number
  readonly assigned: number
  readonly sampled: number
  readonly redrawn: number
  readonly silent: number
  readonly settled: readonly number[]
  readonly matured: readonly number[]
  readonly returned: number
  readonly planted: number
  readonly collected: number
}

const NOTHING: Omit<Advance, 'tip'> = {
  deposits: 0,
  assigned: 0,
  sampled: 0,
  redrawn: 0,
  silent: 0,
  settled: [],
  matured: [],
  returned: 0,
  planted: 0,
  collected: 0,
}

/** Before a cutoff every block gets an anchor, if there is anything new: one to be mined, one to spare. */
const CLOSING_BLOCKS = 2

/**
 * Everything that a new tip may have made due, in the order in which each step needs the one before (DESIGN §2).
 * Every step is idempotent and asks chain and database anew, so a round that breaks off is made up by the next.
 */
export async function advance(
  desks: Desks,
  outside: {
    tip: number
    node: Node
    anchorer: Anchorer
    watched: WatchedKeys
    finalDepth: number
    auditRoundBlocks: number
  },
): Promise<Advance> {
  const { tip, node, anchorer, watched, finalDepth } = outside
  // One beacon draws for thousands of submissions: the node is asked once a round.
  const hashes = new Map<number, Uint8Array>()
  const blockHash = async (height: number) => {
    const known = hashes.get(height)
    if (known !== undefined) return known
    const hash = await node.blockHash(height)
    if (hash === null) throw new Error(`the node has no block at height ${height}`)
    const bytes = txidBytes(hash)
    hashes.set(height, bytes)
    return bytes
  }

  await anchorer.advance()
  const judged = anchorer.state()
  if (haltOf(judged) !== null) return { ...NOTHING, tip }
  // By a view of older blocks an epoch would be settled without work that was anchored since, for good; and by a node that has lost
  // some, money promised that is spent in them.
  const doubt = doubtOf(judged)
  if (doubt !== null) throw new UnjudgedError(doubt)
  if (judged.tipHeight === null || judged.tipHeight < tip) {
    throw new UnjudgedError(
      `anchors are judged at ${judged.tipHeight}, not at ${tip}: ${judged.stalled?.detail ?? 'blocks left the chain meanwhile'}`,
    )
  }
  // A node that lost its newest blocks in a power cut: what is logged now says to be later than what spoke of them.
  const knownHeight = Math.max(
    ...[desks.settlement, desks.inheritance, desks.payouts].map((desk) => desk.knownHeight()),
  )
  if (tip < knownHeight) throw new UnjudgedError(`the node is at block ${tip}; the log knows ${knownHeight}`)
  const anchored = anchoredView(anchorer.places())

  desks.leases.expire(Date.now())
  const isChangeKnown = await desks.payouts.follow(anchored)
  const coins = await watched.treasuryCoins(finalDepth)
  // Confirmations give a height at one tip alone: when a block came meanwhile, the round that it asks for books them.
  const isSameTip = (await node.chain()).height === tip
  const deposits = isChangeKnown && isSameTip ? desks.deposits.bookNew(coins, tip) : 0
  const budgeted = desks.budgets.budgetDue(tip)
  const quoted = desks.prices.quoteDue(tip, anchored)
  const assigned = await desks.assignments.assignDue(tip, anchored, blockHash)

  const returned = desks.standings.returnDue(tip, anchored)
  const silent = desks.audits.closeSilent(tip - outside.auditRoundBlocks)
  const sampled = await desks.draw.drawDue(tip, anchored, blockHash)
  let redrawn = await desks.draw.redrawDue(tip, anchored, blockHash)
  // A suspended auditor's round goes to the next at once, and so on until the last.
  while (desks.audits.closeSuspended() > 0) redrawn += await desks.draw.redrawDue(tip, anchored, blockHash)

  const settled = await desks.settlement.settleDue(tip, anchored, blockHash)
  const matured = desks.settlement.matureDue(tip)
  desks.inheritance.matureDue(tip)
  const collected = await desks.retention.collectDue(tip)
  const planted = await desks.proctor.plantDue(tip)
  const isPayoutBegun = await desks.payouts.begin(anchored, tip)

  // These must be anchored in time, whatever the cadence: budget and prices before their epoch, a verdict before the cutoff, an intent
  // before its payment.
  const isClosing = desks.settlement.nextCutoff() - tip <= CLOSING_BLOCKS
  if (budgeted || quoted || isClosing || silent > 0 || settled.length > 0 || isPayoutBegun) {
    anchorer.request()
    await anchorer.advance()
  }
  return { tip, deposits, assigned, sampled, redrawn, silent, settled, matured, returned, planted, collected }
}
