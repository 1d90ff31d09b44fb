import { hex } from '../../compute/work/hex.ts'
import type { OriginRecord } from '../../compute/work/job.ts'
import type { MarketModel } from '../subnet/markets.ts'
import type { Books } from './books.ts'
import type { Canary } from './canaries.ts'
import type { Charges } from './charges.ts'
import type { Market } from './market.ts'
import { openOutputBounds } from './output-bound.ts'
import { RefusedError } from './refused-error.ts'
import type { PendingRequest } from './requests.ts'

/** A piece of work that becomes a job once somebody leases it. */
export interface Draft extends MarketModel {
  readonly origin: OriginRecord
  readonly item: number | null
  readonly inputs: Uint8Array
  readonly items: number
  readonly request: PendingRequest | null
  readonly canary: Canary | null
  readonly chargeMsat: bigint
  /** What its outputs may need. */
  readonly outputBytes: number
}

interface ItemRow {
  subnet: string
  model: Uint8Array
  item: bigint
  input: Uint8Array
}

interface LeaseDrafts {
  /** Up to `room` for this worker: what is asked, canaries among it, then items of datasets. */
  draw(worker: Uint8Array, asked: readonly PendingRequest[], room: number, epoch: number): Draft[]
  canary(model: MarketModel, canary: Canary): Draft
}

/** Half of a body, so that the largest single input still fits with its frame; a lease of one job may be larger. */
export const MAX_LEASED_INPUT_BYTES = 32 * 1024 * 1024

/** Of an item, in an epoch: what is given back or runs out may still be answered, and answers are held for days. */
const MAX_ITEM_LEASES = 8

export function openLeaseDrafts(
  books: Books,
  { market, charges }: { market: Market; charges: Charges },
): LeaseDrafts {
  const outputBytesOf = openOutputBounds(books)
  const selectItems = books.db.prepare<[Uint8Array, number, number], ItemRow>(
    `SELECT subnet, model, item, input FROM item
      WHERE assignee = ? AND state = 'open' AND epoch = ?
        AND (SELECT count(*) FROM job WHERE job.subnet = item.subnet AND job.model = item.model AND job.item = item.item
                AND job.epoch = item.epoch) < ${MAX_ITEM_LEASES}
      ORDER BY subnet, model, item LIMIT ?`,
  )

  /** As many as the answer has room for. */
  function addItems(drafts: Draft[], rows: readonly ItemRow[], epoch: number): void {
    let bytes = sumBytes(drafts)
    for (const row of rows) {
      const draft = draftItem(row, epoch)
      if (draft === null) continue
      bytes += draft.inputs.length
      if (drafts.length > 0 && bytes > MAX_LEASED_INPUT_BYTES) return
      drafts.push(draft)
    }
  }

  /** By the definition and the price of this epoch: whoever can't pay for it any more is told so, and nobody works for nothing. */
  function draftRequests(asked: readonly PendingRequest[], epoch: number): Draft[] {
    const spentMsat = new Map<string, bigint>()
    return asked.flatMap((request) => {
      const { inputs, items, requester } = request
      try {
        const found = market.model(request.subnet.name, request.model.digest, epoch)
        if (found === null) throw new RefusedError(404, 'model_unknown', 'the model is not served any more')
        if (request.canary !== undefined) return { ...draftCanary(found, request.canary), request }
        const units = BigInt(items) * BigInt(found.model.unitsPerItem)
        const chargeMsat = charges.quoteMsat(found.subnet.name, units, epoch)
        const spent = spentMsat.get(requester) ?? 0n
        charges.assertCover(requester, chargeMsat, spent)
        spentMsat.set(requester, spent + chargeMsat)
        return {
          ...found,
          inputs,
          items,
          item: null,
          request,
          canary: null,
          chargeMsat,
          outputBytes: outputBytesOf(found.model.digest, inputs),
          origin: { kind: 'request', requester },
        }
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error
        request.settle({ error })
        return []
      }
    })
  }

  function draftItem(row: ItemRow, epoch: number): Draft | null {
    const found = market.model(row.subnet, row.model, epoch)
    const inputs = books.blobs.get(hex(row.input))
    if (found === null || found.subnet.dataset === null || inputs === null) return null
    const item = Number(row.item)
    return {
      ...found,
      inputs,
      item,
      items: 1,
      request: null,
      canary: null,
      chargeMsat: 0n,
      outputBytes: outputBytesOf(row.model, inputs),
      origin: { kind: 'dataset', dataset: found.subnet.dataset.list, item },
    }
  }

  function draftCanary({ subnet, model }: MarketModel, canary: Canary): Draft {
    const { inputs, items, known } = canary
    return {
      subnet,
      model,
      inputs,
      items,
      item: null,
      request: null,
      canary,
      chargeMsat: 0n,
      outputBytes: outputBytesOf(model.digest, inputs),
      origin: { kind: 'canary', known },
    }
  }

  return {
    draw(worker, asked, room, epoch) {
      const drafts = draftRequests(asked, epoch)
      addItems(drafts, selectItems.all(worker, epoch, room - drafts.length), epoch)
      return drafts
    },
    canary: draftCanary,
  }
}

function sumBytes(drafts: readonly Draft[]): number {
  return drafts.reduce((sum, { inputs }) => sum + inputs.length, 0)
}
