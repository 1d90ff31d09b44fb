import { sha256 } from '../../compute/work/tagged-hash.ts'
import { parseDataset } from '../subnet/dataset.ts'
import type { SubnetDefinition, SubnetModel } from '../subnet/definition.ts'
import { encodeDefinition, parseDefinition } from '../subnet/definition.ts'
import { type MarketModel, openMarkets } from '../subnet/markets.ts'
import type { Books } from './books.ts'
import { record } from './books.ts'
import { openHolds } from './holds.ts'
import { RefusedError } from './refused-error.ts'

/** The subnets: which models are worked on, for what share of the subsidy, on which open dataset. */
export interface Market {
  /**
   * Logs a definition; its model and dataset blobs must be held already. It counts from a coming epoch on: rules don't change
   * for work that is under way. `epochNow` is null before epoch 0. Throws RefusedError, DefinitionError.
   */
  define(definition: SubnetDefinition, epochNow: number | null): number
  /** The newest definition of each subnet that is effective at `epoch`, by name. */
  subnetsAt(epoch: number): SubnetDefinition[]
  modelNamed(name: string, epoch: number): MarketModel | null
  /** By the newest definition of the subnet with this model that is effective at `epoch`: that of the job. */
  model(subnet: string, digest: Uint8Array, epoch: number): MarketModel | null
  /** Every model that ever was one: receipts of older ones are still audited. */
  everyModel(): { readonly subnet: string; readonly models: readonly SubnetModel[] }[]
}

const MAX_SUBNETS = 1024

export function openMarket(books: Books): Market {
  const insert = books.db.prepare('INSERT INTO subnet (entry_index, name, definition) VALUES (?, ?, ?)')
  const insertItem = books.db.prepare(
    'INSERT INTO item (subnet, model, item, input) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  )
  const selectItems = books.db
    .prepare<[string, Uint8Array], Uint8Array>(
      'SELECT input FROM item WHERE subnet = ? AND model = ? ORDER BY item',
    )
    .pluck()
  const holds = openHolds(books)
  const markets = openMarkets()
  const selectAll = books.db
    .prepare<[], Uint8Array>('SELECT definition FROM subnet ORDER BY entry_index')
    .pluck()
  for (const digest of selectAll.all())
    markets.add(parseDefinition(held(Buffer.from(digest).toString('hex'), 'subnet definition')))

  function held(digest: string, what: string): Uint8Array {
    const bytes = books.blobs.get(digest)
    if (bytes === null)
      throw new RefusedError(409, 'blob_missing', `${what} ${digest} is not in the blob store`)
    return bytes
  }

  function define(definition: SubnetDefinition, epochNow: number | null): number {
    const bytes = encodeDefinition(definition)
    const least = epochNow === null ? 0 : epochNow + 1
    if (definition.effectiveEpoch < least) {
      throw new RefusedError(409, 'subnet_in_the_past', `effectiveEpoch must be at least ${least}`)
    }
    if (markets.all().length >= MAX_SUBNETS)
      throw new RefusedError(503, 'subnets_full', `at most ${MAX_SUBNETS} definitions`)
    for (const model of definition.models) {
      const { length } = held(Buffer.from(model.digest).toString('hex'), `model ${model.name}`)
      if (length !== model.bytes) {
        throw new RefusedError(
          400,
          'model_mismatch',
          `model ${model.name} has ${length} bytes, not ${model.bytes}`,
        )
      }
    }
    const inputs = definition.dataset === null ? [] : datasetInputs(definition.dataset)
    books.blobs.putSync(bytes)
    const digest = sha256(bytes)
    const index = record(
      books,
      { v: 1, kind: 'subnet', name: definition.name, definition: digest },
      (entryIndex) => {
        insert.run(entryIndex, definition.name, digest)
        holds.keep(inputs, false)
        for (const model of definition.models) addItems(definition.name, model.digest, inputs)
        return entryIndex
      },
    )
    markets.add(definition)
    return index
  }

  /** An item is known by its number: a later dataset may go on where the one before ended, and never differ from it. */
  function addItems(subnet: string, model: Uint8Array, inputs: readonly Uint8Array[]): void {
    for (const [item, input] of inputs.entries()) insertItem.run(subnet, model, item, input)
    const items = inputs.length === 0 ? [] : selectItems.all(subnet, model)
    const differs = items.findIndex(
      (input, item) => Buffer.compare(input, inputs[item] ?? new Uint8Array()) !== 0,
    )
    if (differs >= 0) {
      throw new RefusedError(409, 'dataset_differs', `item ${differs} of ${subnet} is another one already`)
    }
  }

  function datasetInputs(dataset: { items: number; list: Uint8Array }): Uint8Array[] {
    const inputs = parseDataset(held(Buffer.from(dataset.list).toString('hex'), 'dataset list'))
    if (inputs.length !== dataset.items) {
      throw new RefusedError(
        400,
        'dataset_mismatch',
        `the list holds ${inputs.length} items, not ${dataset.items}`,
      )
    }
    const missing = inputs.find((input) => !books.blobs.has(Buffer.from(input).toString('hex')))
    if (missing !== undefined) held(Buffer.from(missing).toString('hex'), 'dataset item')
    return inputs
  }

  return {
    define,
    subnetsAt: markets.subnetsAt,
    model: markets.model,
    modelNamed(name, epoch) {
      for (const subnet of markets.subnetsAt(epoch)) {
        const model = subnet.models.find((m) => m.name === name)
        if (model !== undefined) return { subnet, model }
      }
      return null
    },
    everyModel() {
      const subnets = new Map<string, Map<string, SubnetModel>>()
      for (const definition of markets.all()) {
        const models = subnets.get(definition.name) ?? new Map<string, SubnetModel>()
        for (const model of definition.models) models.set(Buffer.from(model.digest).toString('hex'), model)
        subnets.set(definition.name, models)
      }
      return [...subnets].map(([subnet, models]) => ({ subnet, models: [...models.values()] }))
    },
  }
}
