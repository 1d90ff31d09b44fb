import type { Books } from './books.ts'
import { type BothSides, reconcile, type Spenders } from './reconcile.ts'
import { RefusedError } from './refused-error.ts'

/** What the books and the chain said of each other once an epoch was settled. */
export interface EpochReconciliation {
  readonly epoch: number
  /** Of the tip at which both were read. */
  readonly height: number
  readonly ok: boolean
  /** Rows and quarantined accounts; empty where all is well. */
  readonly differs: readonly string[]
}

/** Holds the books against the chain once for each settled epoch, and keeps what came out. Throws RpcError, NodeError. */
export async function reconcileSettled(sides: BothSides, spenders: Spenders): Promise<void> {
  const { db } = sides.books
  const due = db
    .prepare<[], bigint>(
      `SELECT number FROM epoch WHERE settled_entry IS NOT NULL
          AND number > (SELECT coalesce(max(epoch), -1) FROM reconciliation) ORDER BY number`,
    )
    .pluck()
    .all()
  if (due.length === 0) return
  const { height, ok, rows, inconsistent } = await reconcile(sides, spenders).catch(unlessMoved)
  if (height === null) return
  const differs = [...rows.filter((row) => !row.ok).map(({ what }) => what), ...inconsistent]
  const insert = db.prepare('INSERT INTO reconciliation (epoch, height, ok, differs) VALUES (?, ?, ?, ?)')
  for (const epoch of due) insert.run(epoch, height, ok ? 1 : 0, JSON.stringify(differs))
}

/** Blocks come too fast to say anything now; the next round tries again. */
function unlessMoved(error: unknown): { height: null; ok: false; rows: []; inconsistent: [] } {
  if (!(error instanceof RefusedError)) throw error
  return { height: null, ok: false, rows: [], inconsistent: [] }
}

/** The newest, or null before the first. */
export function lastReconciliation({ db }: Books): EpochReconciliation | null {
  const row = db
    .prepare<[], { epoch: bigint; height: bigint; ok: bigint; differs: string }>(
      'SELECT * FROM reconciliation ORDER BY epoch DESC LIMIT 1',
    )
    .get()
  if (row === undefined) return null
  const { epoch, height, ok, differs } = row
  return { epoch: Number(epoch), height: Number(height), ok: ok === 1n, differs: JSON.parse(differs) }
}
