import { useEffect, useState } from 'preact/hooks'
import type { z } from 'zod'
import { newsComes, watchNews } from './live.ts'

/** Blocks come every ten minutes, work every second: what people watch is between the two. */
const POLL_MS = 4_000
/** While the coordinator says by itself when something is new: for what has no event. */
const SLOW_POLL_MS = 30_000

/** A problem (RFC 9457) or whatever else kept an answer away, in words. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export interface Answer<T> {
  /** The last one that came; null before the first. */
  readonly value: T | null
  /** Why the newest could not be had; null once one came. */
  readonly error: AnswerError | null
}

/** One answer of the API, checked. Throws AnswerError. */
export async function fetchAnswer<T>(path: string, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
  // `no-cache` asks with the ETag of what the browser holds: nothing is sent twice.
  const response = await fetch(path, {
    cache: 'no-cache',
    ...(signal === undefined ? {} : { signal }),
  }).catch((cause: unknown) => {
    if (signal?.aborted) throw cause
    throw new AnswerError('unreachable', 'The coordinator does not answer.')
  })
  const body: unknown = await response.json().catch(() => null)
  if (!response.ok) throw problemOf(response.status, body)
  const parsed = schema.safeParse(body)
  if (!parsed.success)
    throw new AnswerError('unreadable', `${path} answers in another form than this page knows.`)
  return parsed.data
}

function problemOf(status: number, body: unknown): AnswerError {
  const { code, detail } = Object(body) as Record<string, unknown>
  return new AnswerError(String(code ?? status), String(detail ?? `The coordinator answers ${status}.`))
}

/** The answer at `path`, asked again while the page is looked at. */
export function useAnswer<T>(path: string, schema: z.ZodType<T>): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T> & { path: string }>({ path, value: null, error: null })
  useEffect(() => {
    const leaving = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    async function ask(): Promise<void> {
      if (document.visibilityState === 'visible') {
        try {
          const value = await fetchAnswer(path, schema, leaving.signal)
          setAnswer({ path, value, error: null })
        } catch (error) {
          if (leaving.signal.aborted) return
          if (!(error instanceof AnswerError)) throw error
          setAnswer((last) => ({ path, value: last.path === path ? last.value : null, error }))
        }
      }
      if (!leaving.signal.aborted) {
        clearTimeout(timer)
        timer = setTimeout(() => void ask(), newsComes() ? SLOW_POLL_MS : POLL_MS)
      }
    }
    const askNow = () => {
      clearTimeout(timer)
      void ask()
    }
    void ask()
    document.addEventListener('visibilitychange', askNow)
    const stopWatching = watchNews(askNow)
    return () => {
      stopWatching()
      leaving.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', askNow)
    }
  }, [path, schema])
  return answer.path === path ? answer : { value: null, error: null }
}
