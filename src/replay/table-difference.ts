import { decodeCbor, MAX_EPOCH_VALUES } from '../../compute/work/canonical-cbor.ts'
import { ACCRUAL_LISTS, type AccrualHead, type AccrualLists, parseAccrualHead } from '../log/accrual-table.ts'
import { encodePart, MAX_PART_BYTES } from '../log/parts.ts'
import { type Check, readable } from './findings.ts'
import { readBlob } from './read-blob.ts'
import type { ReplayState } from './replay-state.ts'

/**
 * Where the table of accruals that `digest` names differs first from the one recomputed, for people; null where it
 * can't be read.
 */
export async function tableDifference(
  state: ReplayState,
  check: Check,
  digest: Uint8Array,
  { head, lists }: { readonly head: AccrualHead; readonly lists: AccrualLists },
): Promise<string | null> {
  const bytes = await readBlob(state, check, digest, 'accrual table')
  const claimed = bytes === null ? null : readable(check, () => parseAccrualHead(bytes))
  if (claimed === null) return null
  for (const name of ACCRUAL_LISTS) {
    const [said, due] = [claimed[name], head[name]]
    const part = due.findIndex((one, i) => Buffer.compare(one, said[i] ?? new Uint8Array()) !== 0)
    const other = said[part]
    if (other === undefined && said.length !== due.length)
      return `${said.length} parts of ${name}, recomputed ${due.length}`
    if (other === undefined) continue
    const from = part * state.partLength
    const list = await readBlob(state, check, other, `part ${part} of ${name}`)
    if (list === null) return null
    const again = encodePart(lists[name].slice(from, from + state.partLength))
    return `${name} from ${from}: ${listDifference(list, again)}`
  }
  const { epoch, returnedMsat } = head
  return `epoch ${claimed.epoch}, returnedMsat ${claimed.returnedMsat}, recomputed ${epoch}, ${returnedMsat}`
}

/** Where two lists in CBOR differ first, for people. */
function listDifference(claimed: Uint8Array, recomputed: Uint8Array): string {
  const limit = { maxBytes: MAX_PART_BYTES, maxValues: MAX_EPOCH_VALUES }
  try {
    return difference(decodeCbor(claimed, limit), decodeCbor(recomputed, limit), '') ?? 'equal'
  } catch (error) {
    if (error instanceof Error && 'code' in error) return error.message
    throw error
  }
}

function difference(claimed: unknown, recomputed: unknown, path: string): string | null {
  if (!isComposite(claimed) || !isComposite(recomputed)) {
    return claimed === recomputed ? null : `${path} is ${text(claimed)}, recomputed ${text(recomputed)}`
  }
  for (const key of new Set([...Object.keys(recomputed), ...Object.keys(claimed)])) {
    const inner = difference(Reflect.get(claimed, key), Reflect.get(recomputed, key), `${path}.${key}`)
    if (inner !== null) return inner
  }
  return null
}

function isComposite(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
}

function text(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return isComposite(value)
    ? JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}` : one))
    : `${value}`
}
