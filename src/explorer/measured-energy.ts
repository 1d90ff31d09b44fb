import { decodeCbor } from '../../compute/work/canonical-cbor.ts'
import { parseReceipt } from '../../compute/work/receipt.ts'
import { type ReceiptRow, receiptsAnswer } from '../api/answers.ts'
import { statusAnswer } from '../client/status-answer.ts'
import { FROM_THE_NEWEST } from './from-the-newest.ts'
import { readEntriesAround } from './read-entries.ts'
import { fetchAnswer } from './use-answer.ts'

/** Receipts of one subnet whose workers told their energy by one method. */
export interface MeasuredEnergy {
  readonly subnet: string
  readonly method: string
  readonly receipts: number
  /** By log entry, the oldest first: what the receipts of one submission come to. Empty where the method knows nothing. */
  readonly points: readonly { readonly entry: number; readonly joules: number; readonly units: number }[]
}

/** Of the newest receipts: a picture of now, not of all time. */
const MAX_SUBMISSIONS = 24
/** A few thousand receipts; a larger list is left out rather than loaded onto a phone. */
const MAX_LIST_BYTES = 2_000_000
const MILLIJOULES_PER_JOULE = 1_000

/** What the newest receipts say of energy, read from log and blobs in this browser. */
export async function measureEnergy(): Promise<MeasuredEnergy[]> {
  const [rows, { log }] = await Promise.all([
    fetchAnswer(`/v1/receipts${FROM_THE_NEWEST}`, receiptsAnswer),
    fetchAnswer('/v1/status', statusAnswer),
  ])
  const entries = [...new Set(rows.map(({ entry }) => entry))].slice(0, MAX_SUBMISSIONS).reverse()
  const groups = new Map<string, MeasuredEnergy>()
  for (const entry of entries) {
    const list = await receiptsOf(entry, log.size)
    for (const row of rows.filter((one) => one.entry === entry)) add(groups, row, list[row.position])
  }
  return [...groups.values()]
}

async function receiptsOf(entry: number, size: number): Promise<unknown[]> {
  const found = (await readEntriesAround(entry, size)).find(({ index }) => index === entry)?.entry
  if (found?.kind !== 'submission') return []
  const response = await fetch(`/blobs/${Buffer.from(found.receipts).toString('hex')}`)
  if (!response.ok || Number(response.headers.get('content-length')) > MAX_LIST_BYTES) return []
  const list = decodeCbor(new Uint8Array(await response.arrayBuffer()), { maxBytes: MAX_LIST_BYTES })
  return Array.isArray(list) ? list : []
}

function add(
  groups: Map<string, MeasuredEnergy>,
  { subnet, entry, units }: ReceiptRow,
  bytes: unknown,
): void {
  if (!(bytes instanceof Uint8Array)) return
  const { method, millijoules } = parseReceipt(bytes).energy
  const key = JSON.stringify([subnet, method, millijoules === null])
  const { receipts = 0, points = [] } = groups.get(key) ?? {}
  const last = points.at(-1)
  const told = { entry, units, joules: (millijoules ?? 0) / MILLIJOULES_PER_JOULE }
  const known =
    millijoules === null
      ? []
      : last?.entry === entry
        ? [...points.slice(0, -1), { entry, units: last.units + units, joules: last.joules + told.joules }]
        : [...points, told]
  groups.set(key, { subnet, method, receipts: receipts + 1, points: known })
}
