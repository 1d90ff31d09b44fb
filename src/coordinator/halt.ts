import type { StallCode } from '../../anchor/anchor-stall.ts'
import type { Anchorer } from '../../anchor/anchorer.ts'

/**
 * Stalls that say that this database isn't the log's one and only: its seal was spent by what it doesn't know, as after
 * the restore of an old backup, or what it took for final has left the chain. It must not append, sign, anchor or pay
 * then (DESIGN §8): a fork of the log can't be taken back, nor a payment made twice.
 */
const HALTING: ReadonlySet<StallCode> = new Set<StallCode>([
  'seal_missing',
  'seal_contested',
  'seal_mismatch',
  'seal_broken',
  'database_old',
  'deep_reorg',
])

type Judgement = ReturnType<Anchorer['judgement']>

/** Why everything but reading stands still, or null. */
export function haltOf({ stalled }: Pick<Judgement, 'stalled'>): string | null {
  return stalled !== null && HALTING.has(stalled.code) ? `${stalled.code}: ${stalled.detail}` : null
}

/** Why nobody may write now, or null: a halt, or a chain that isn't judged to its tip and may yet turn out to be one. */
export function doubtOf({ stalled, inDoubt }: Judgement): string | null {
  if (!inDoubt) return null
  return stalled === null ? 'the chain has not been judged yet' : `${stalled.code}: ${stalled.detail}`
}
