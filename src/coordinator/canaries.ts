import { randomInt } from 'node:crypto'
import { compareOutputs } from '../../compute/compare/compare-outputs.ts'
import { decodeModel } from '../../compute/onnx/model.ts'
import { batchRows, type ModelSignature, modelSignature } from '../../compute/onnx/signature.ts'
import { hex } from '../../compute/work/hex.ts'
import type { ModelProfile } from '../../compute/work/model-profile.ts'
import { parseTensorBundle } from '../../compute/work/tensor-bundle.ts'
import type { CanaryOutcome } from '../rules/canaries.ts'
import type { MarketModel } from '../subnet/markets.ts'
import type { Books } from './books.ts'
import { openHolds } from './holds.ts'
import type { Market } from './market.ts'
import { RefusedError } from './refused-error.ts'

/** An answer that the operator knows; both digests name bundles that are held. */
interface NewCanary {
  readonly subnet: string
  /** The model's name. */
  readonly model: string
  readonly inputs: Uint8Array
  readonly outputs: Uint8Array
}

export interface Canary {
  readonly number: number
  readonly inputs: Uint8Array
  readonly items: number
  /** Digest of the known output bundle. */
  readonly known: Uint8Array
}

export interface Canaries {
  /** Those whose input this model had before are passed over: an answer that was opened is known to all. @returns how many are new. */
  add(canaries: readonly NewCanary[], epoch: number): number
  /** Whether one is to be asked beside a request of this model, as often as the configured share says. */
  isDue(request: MarketModel): boolean
  /** One of this model, or null; nobody else's until it is given back. */
  take(of: MarketModel): Canary | null
  /** Asked no more: somebody's again where it was not leased. */
  giveBack(canary: Canary): void
  /** One of any model that is served in `epoch`, or null. */
  any(epoch: number): { canary: Canary; model: MarketModel } | null
  /** Spent: it is this job's now. Throws where it was leased already. */
  spend(canary: Canary, job: Uint8Array): void
  /** Not leased yet. */
  left(): number
  /** The same as when it was first asked for in that epoch: who looks at each lease would know canaries as they come. */
  leftAt(epoch: number): number
}

interface Row {
  number: bigint
  input: Uint8Array
  output: Uint8Array
  items: bigint
  subnet: string
  model: Uint8Array
}

const WHOLE_BASIS_POINTS = 10_000

export function openCanaries(
  books: Books,
  { market, shareBasisPoints }: { market: Market; shareBasisPoints: number },
): Canaries {
  const { db } = books
  const insert = db.prepare(
    'INSERT INTO canary (subnet, model, input, output, items) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  )
  const selectNext = db.prepare<[string, Uint8Array, number], Row>(
    'SELECT * FROM canary WHERE subnet = ? AND model = ? AND job IS NULL ORDER BY number LIMIT ?',
  )
  /** Numbers of those that are asked now. */
  const asked = new Set<number>()
  const selectPlaces = db.prepare<[], Row>(
    'SELECT * FROM canary WHERE job IS NULL GROUP BY subnet, model HAVING number = min(number) ORDER BY number',
  )
  const holds = openHolds(books)
  const setJob = db.prepare('UPDATE canary SET job = ? WHERE number = ? AND job IS NULL')
  let counted: { readonly epoch: number; readonly left: number } | null = null
  const countLeft = db.prepare<[], bigint>('SELECT count(*) FROM canary WHERE job IS NULL').pluck()

  const left = () => Number(countLeft.get())

  function held(digest: Uint8Array, what: string): Uint8Array {
    const bytes = books.blobs.get(hex(digest))
    if (bytes === null) throw new RefusedError(409, 'blob_missing', `${what} ${hex(digest)} is not held`)
    return bytes
  }

  function itemsOf(inputs: Uint8Array, { model }: MarketModel, signature: ModelSignature): number {
    const tensors = parseTensorBundle(inputs)
    const names = new Set(tensors.map(({ name }) => name))
    if (names.size !== signature.inputs.length || !signature.inputs.every(({ name }) => names.has(name))) {
      throw new RefusedError(400, 'canary_mismatch', `its inputs are not those of model ${model.name}`)
    }
    const rows = batchRows(signature, tensors)
    if (rows === 0) throw new RefusedError(400, 'canary_mismatch', 'its inputs have no rows')
    return rows
  }

  function toCanary({ number, input, output, items }: Row): Canary | null {
    const inputs = books.blobs.get(hex(input))
    return inputs === null ? null : { number: Number(number), inputs, items: Number(items), known: output }
  }

  /** The first that is not asked now. */
  function nextOf({ subnet, model }: MarketModel): Canary | null {
    const rows = selectNext.all(subnet.name, model.digest, asked.size + 1)
    const row = rows.find(({ number }) => !asked.has(Number(number)))
    return row === undefined ? null : toCanary(row)
  }

  return {
    add(canaries, epoch) {
      // A model may be large: it is decoded once for all of its canaries.
      const signatures = new Map<string, ModelSignature>()
      const signatureOf = ({ model: { digest } }: MarketModel) => {
        const known = signatures.get(hex(digest)) ?? modelSignature(decodeModel(held(digest, 'model')))
        signatures.set(hex(digest), known)
        return known
      }
      const rows = canaries.map(({ subnet, model, inputs, outputs }) => {
        const found = market.modelNamed(model, epoch)
        if (found === null || found.subnet.name !== subnet) {
          throw new RefusedError(404, 'model_unknown', `subnet ${subnet} serves no model ${model}`)
        }
        if (found.subnet.privacy === 'private') {
          throw new RefusedError(
            409,
            'subnet_private',
            `${subnet} is private: nobody could recheck its canaries`,
          )
        }
        parseTensorBundle(held(outputs, 'known output'))
        const items = itemsOf(held(inputs, 'input'), found, signatureOf(found))
        return { subnet, model: found.model.digest, inputs, outputs, items }
      })
      return db
        .transaction(() =>
          rows.reduce((added, { subnet, model, inputs, outputs, items }) => {
            holds.keep([inputs, outputs], false)
            return added + insert.run(subnet, model, inputs, outputs, items).changes
          }, 0),
        )
        .immediate()
    },
    // Not counted out: whoever could foresee the next one would work for it alone.
    isDue: ({ subnet }) => subnet.privacy !== 'private' && randomInt(WHOLE_BASIS_POINTS) < shareBasisPoints,
    take(of) {
      const canary = nextOf(of)
      if (canary !== null) asked.add(canary.number)
      return canary
    },
    giveBack: ({ number }) => void asked.delete(number),
    any(epoch) {
      for (const row of selectPlaces.all()) {
        const model = market.model(row.subnet, row.model, epoch)
        const canary = model === null || model.subnet.privacy === 'private' ? null : nextOf(model)
        if (model !== null && canary !== null) return { canary, model }
      }
      return null
    },
    spend({ number }, job) {
      if (setJob.run(job, number).changes !== 1) throw new Error(`canary ${number} is spent`)
    },
    left,
    leftAt(epoch) {
      if (counted?.epoch !== epoch) counted = { epoch, left: left() }
      return counted.left
    },
  }
}

/** By the digests of output bundles that are held: equal ones are equal bytes. */
export function judgeCanary(
  books: Books,
  profile: ModelProfile,
  { output, known }: { output: Uint8Array; known: Uint8Array },
): CanaryOutcome {
  if (Buffer.compare(output, known) === 0) return 'canary_passed'
  const [claimed, expected] = [output, known].map((digest) => books.blobs.get(hex(digest)))
  if (!claimed || !expected) throw new Error(`output ${hex(output)} or ${hex(known)} is not held`)
  return compareOutputs(profile, claimed, expected).verdict === 'pass' ? 'canary_passed' : 'canary_failed'
}
