import type { Coordinator } from './coordinator.ts'
import { epochNow } from './epoch-now.ts'
import { haltOf } from './halt.ts'
import { listAnchors } from './list-anchors.ts'

/** What tells somebody who watches that there is something new to read. */
interface LiveState {
  /** Of the last whole round; null while starting. */
  readonly height: number | null
  readonly error: string | null
  readonly logSize: number
  /** Null until the log is open. */
  readonly open: {
    readonly epoch: number | null
    readonly halted: string | null
    /** The newest first. */
    readonly anchors: readonly Pick<
      ReturnType<typeof listAnchors>[number],
      'index' | 'state' | 'txid' | 'height'
    >[]
    readonly submissions: number
    readonly requestsOpen: number
  } | null
}

/** Those that may still change, and the last that may not. */
const MAX_ANCHORS = 8

/** Reads a few rows: asked every second while somebody watches. */
export function liveStateOf(coordinator: Coordinator): LiveState {
  const { books } = coordinator
  const house = coordinator.house()
  const state = {
    height: coordinator.advancedTo(),
    error: coordinator.lastError()?.message ?? null,
    logSize: books.log.size(),
  }
  if (house === null) return { ...state, open: null }
  const { genesis, anchorer, desks } = house
  return {
    ...state,
    open: {
      epoch: epochNow(coordinator, genesis),
      halted: haltOf(anchorer.judgement()),
      anchors: listAnchors(house, null)
        .slice(0, MAX_ANCHORS)
        .map(({ index, state, txid, height: at }) => ({ index, state, txid, height: at })),
      submissions: Number(
        books.db.prepare<[], bigint>('SELECT count(*) FROM submission').pluck().get() ?? 0n,
      ),
      requestsOpen: desks.requests.length,
    },
  }
}
