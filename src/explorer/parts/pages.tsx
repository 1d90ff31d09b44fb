import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { z } from 'zod'
import { useAnswer } from '../use-answer.ts'
import { Answered } from './answered.tsx'

interface PagesProps<Row> {
  /** Without its cursor. */
  readonly path: string
  readonly schema: z.ZodType<Row[]>
  /** The query that asks for the page beyond these rows; null where there is none. */
  readonly next: (rows: readonly Row[]) => string | null
  readonly first?: string
  /** Says what will stand here. */
  readonly empty: string
  readonly children: (rows: readonly Row[]) => ComponentChildren
}

/** A list of the API, page by page. */
export function Pages<Row>({ path, schema, next, first = '', empty, children }: PagesProps<Row>) {
  const [queries, setQueries] = useState<readonly string[]>([first])
  const answer = useAnswer(`${path}${queries.at(-1) ?? ''}`, schema)
  return (
    <Answered answer={answer}>
      {(rows) => {
        const further = next(rows)
        return (
          <>
            {rows.length === 0 ? (
              <p class="empty">{queries.length > 1 ? 'That was all.' : empty}</p>
            ) : (
              children(rows)
            )}
            <nav class="pager" aria-label="Pages of the list">
              {queries.length > 1 && (
                <button type="button" onClick={() => setQueries(queries.slice(0, -1))}>
                  ← Back
                </button>
              )}
              {further !== null && (
                <button type="button" onClick={() => setQueries([...queries, further])}>
                  Further →
                </button>
              )}
            </nav>
          </>
        )
      }}
    </Answered>
  )
}
