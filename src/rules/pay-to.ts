/** Where a worker is paid, and from what on: by the chain's word on when it said so (docs/PROTOCOL.md §7, Payouts). */
import type { Anchored } from './anchored.ts'
import type { EpochRules } from './epoch.ts'

/** What a `worker` or `address` entry declares. */
export interface PayTo {
  /** Its index in the log. */
  readonly entry: number
  readonly address: string
  /** The worker's own wish: it is paid nothing below. */
  readonly thresholdSats: bigint
  /** Of a change: the declaration in whose place it stands, and the last block that may anchor it. */
  readonly change: { readonly replaces: number; readonly expiryHeight: number } | null
}

/** Where the log stands in the chain. */
export interface PayToView extends Pick<EpochRules, 'finalDepth'> {
  readonly anchored: Pick<Anchored, 'first'>
}

/**
 * The declaration that a payout planned at `height` follows: the newest that is final then, was anchored before it
 * expired, and replaces the one that was in force when it was anchored. `declarations`: of one worker, in the order of
 * the log, the registration first.
 */
export function payToAt(
  declarations: readonly PayTo[],
  height: number,
  { anchored, finalDepth }: PayToView,
): PayTo | null {
  const [registration, ...changes] = declarations
  if (registration === undefined) return null
  const forced: { declared: PayTo; from: number }[] = [{ declared: registration, from: 0 }]
  const at = (wanted: number) => forced.findLast(({ from }) => from <= wanted)?.declared ?? registration
  for (const declared of changes) {
    const anchor = anchored.first(declared.entry)
    if (anchor === null || declared.change === null) continue
    const { replaces, expiryHeight } = declared.change
    if (anchor.height > expiryHeight || at(anchor.height).entry !== replaces) continue
    forced.push({ declared, from: anchor.height + finalDepth - 1 })
  }
  return at(height)
}

/** Whether a change may still come into force: no other is taken meanwhile. */
export function isPending(
  { entry, change }: PayTo,
  height: number,
  { anchored, finalDepth }: PayToView,
): boolean {
  if (change === null) return false
  const anchor = anchored.first(entry)
  // An anchor may still leave the chain until it is final: only then has the expiry said its last word.
  if (anchor === null) return height < change.expiryHeight + finalDepth - 1
  return height < anchor.height + finalDepth - 1
}
