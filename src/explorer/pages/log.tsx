import { useEffect, useState } from 'preact/hooks'
import { parseHeader } from '../../../compute/work/submission.ts'
import { statusAnswer } from '../../client/status-answer.ts'
import type { Entry } from '../../log/entry.ts'
import { TILE_WIDTH } from '../../log/tile.ts'
import { formatCount } from '../format.ts'
import { Answered } from '../parts/answered.tsx'
import { EntryRow, type ShownEntry } from '../parts/entry-row.tsx'
import { readEntriesAround } from '../read-entries.ts'
import { type Answer, AnswerError, useAnswer } from '../use-answer.ts'

/** Entries of the log as anybody gets them: tiles, decoded here. `rest`: an entry's index, opened. */
export function Log({ rest }: { rest: string }) {
  const status = useAnswer('/v1/status', statusAnswer)
  const wanted = /^\d{1,15}$/.test(rest) ? Number(rest) : null
  return (
    <>
      <div class="head">
        <h1>Log</h1>
        <p class="soft">
          An append-only list of which Bitcoin holds the hash. These entries come from the same tiles that any
          mirror or auditor reads, and are decoded in this browser.
        </p>
      </div>
      <Answered answer={status}>
        {({ log: { size } }) =>
          size === 0 ? (
            <p class="empty">The first entry will be the genesis: everything that is fixed for ever.</p>
          ) : (
            <Bundle size={size} wanted={wanted} />
          )
        }
      </Answered>
    </>
  )
}

function Bundle({ size, wanted }: { size: number; wanted: number | null }) {
  const newest = Math.floor((size - 1) / TILE_WIDTH)
  const [chosen, setChosen] = useState<number | null>(
    wanted === null ? null : Math.min(Math.floor(wanted / TILE_WIDTH), newest),
  )
  const [kind, setKind] = useState('')
  const n = chosen ?? newest
  const width = n === newest ? size - n * TILE_WIDTH : TILE_WIDTH
  const bundle = useBundle(n, width)
  return (
    <Answered answer={bundle}>
      {(entries) => {
        const kinds = [...new Set(entries.map((entry) => entry.kind))].sort()
        const shown = entries.filter((entry) => kind === '' || entry.kind === kind)
        return (
          <>
            <div class="pager">
              <label class="pager">
                Kind
                <select value={kind} onChange={({ currentTarget }) => setKind(currentTarget.value)}>
                  <option value="">all</option>
                  {kinds.map((name) => (
                    <option key={name}>{name}</option>
                  ))}
                </select>
              </label>
              <span class="soft">
                entries {formatCount(n * TILE_WIDTH)}–{formatCount(n * TILE_WIDTH + width - 1)} of{' '}
                {formatCount(size)}
              </span>
            </div>
            {wanted !== null && wanted >= size && (
              <p class="notice">There is no entry {formatCount(wanted)} yet: these are the newest.</p>
            )}
            <div class="scroll">
              {shown.map((entry) => (
                <EntryRow key={entry.index} entry={entry} open={entry.index === wanted} />
              ))}
            </div>
            <nav class="pager" aria-label="Pages of the log">
              {n < newest && (
                <button type="button" onClick={() => setChosen(n + 1 === newest ? null : n + 1)}>
                  ← Newer
                </button>
              )}
              {n > 0 && (
                <button type="button" onClick={() => setChosen(n - 1)}>
                  Older →
                </button>
              )}
            </nav>
          </>
        )
      }}
    </Answered>
  )
}

/** One tile of entries, newest first. A tile never changes: the browser keeps it. */
function useBundle(n: number, width: number): Answer<ShownEntry[]> {
  const [answer, setAnswer] = useState<Answer<ShownEntry[]>>({ value: null, error: null })
  useEffect(() => {
    let isGone = false
    readShown(n * TILE_WIDTH, n * TILE_WIDTH + width).then(
      (value) => !isGone && setAnswer({ value, error: null }),
      (error: unknown) => {
        if (!isGone) setAnswer({ value: null, error: new AnswerError('tile', String(error)) })
      },
    )
    return () => {
      isGone = true
    }
  }, [n, width])
  return answer
}

async function readShown(index: number, size: number): Promise<ShownEntry[]> {
  const entries = await readEntriesAround(index, size)
  return entries.map(({ entry, ...rest }) => ({ ...rest, ...shownFields(entry) })).reverse()
}

/** A submission's header is itself a record: shown as what it says. */
function shownFields({ kind, v: _version, ...fields }: Entry): Pick<ShownEntry, 'kind' | 'fields'> {
  if (!('header' in fields)) return { kind, fields }
  const { header, ...rest } = fields
  const { v: _headerVersion, ...said } = parseHeader(header)
  return { kind, fields: { ...said, ...rest } }
}
