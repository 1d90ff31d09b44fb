import { useEffect, useRef } from 'preact/hooks'
import { formatBytes, formatCount, formatMsat, formatTime } from '../format.ts'
import { Hash } from './hash.tsx'

export interface ShownEntry {
  readonly index: number
  readonly kind: string
  /** As decoded: numbers, bigints, text, bytes, maps of them. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly bytes: number
}

/** What names an entry at a glance; all of it stands below. */
const AT_A_GLANCE =
  /^(worker|auditor|name|epoch|count|msat|computeMsat|sats|totalSats|payout|sequence|network|subject|status|height|origin|account|subnet|reason)$/
/** Names of blobs, which are served under their hash. */
const BLOBS = /^(definition|jobs|receipts|verdicts|accruals|openings|payees)$/

export function EntryRow({ entry, open }: { entry: ShownEntry; open: boolean }) {
  const { index, kind, fields, bytes } = entry
  const row = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    if (open) row.current?.scrollIntoView({ block: 'center' })
  }, [open])
  const glance = Object.entries(fields).filter(
    ([name, value]) => AT_A_GLANCE.test(name) && (typeof value !== 'object' || value instanceof Uint8Array),
  )
  return (
    <details class="entry" open={open} ref={row}>
      <summary>
        <span class="soft">{formatCount(index)}</span>
        <span>
          <span class="badge">{kind}</span>
        </span>
        <span>
          {glance.map(([name, value], i) => (
            <span key={name}>
              {i > 0 && <span class="soft"> · </span>}
              <span class="soft small">{name.replace(/(^m|M)sat$|(^s|S)ats$/, '')}</span>{' '}
              {value instanceof Uint8Array ? <Hash hex={hexOf(name, value)} /> : textOf(name, value)}
            </span>
          ))}
        </span>
      </summary>
      <dl class="facts-list">
        {flatten('', fields).map(([name, value]) => (
          <Fact key={name} name={name} value={value} />
        ))}
        <dt>size</dt>
        <dd>{formatBytes(bytes)}</dd>
      </dl>
    </details>
  )
}

function Fact({ name, value }: { name: string; value: unknown }) {
  const text = textOf(name, value)
  return (
    <>
      <dt>{name}</dt>
      <dd class={value instanceof Uint8Array ? 'mono' : ''}>
        {value instanceof Uint8Array && BLOBS.test(name) ? <a href={`/blobs/${text}`}>{text}</a> : text}
      </dd>
    </>
  )
}

/** Maps in maps, as `epoch.blocks`. */
function flatten(prefix: string, fields: object): [string, unknown][] {
  return Object.entries(fields).flatMap(([name, value]: [string, unknown]) => {
    const isMap =
      typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !Array.isArray(value)
    return isMap ? flatten(`${prefix}${name}.`, value) : [[`${prefix}${name}`, value]]
  })
}

/** A txid is shown as Bitcoin shows it, which is backwards. */
function hexOf(name: string, value: Uint8Array): string {
  return (name.endsWith('txid') ? Buffer.from(value).reverse() : Buffer.from(value)).toString('hex')
}

function textOf(name: string, value: unknown): string {
  if (value instanceof Uint8Array) return hexOf(name, value)
  if (typeof value === 'bigint')
    return name.endsWith('Msat') || name === 'msat' ? `${formatMsat(value)} sat` : `${formatCount(value)} sat`
  if (name === 'time' && typeof value === 'number') return formatTime(value / 1000)
  if (typeof value === 'number') return formatCount(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}
