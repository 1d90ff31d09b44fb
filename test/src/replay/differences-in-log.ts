import { freshAddress } from '../../../src/demo/site.ts'
import { encodeEntry, parseEntry } from '../../../src/log/entry.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { epochOf } from '../../../src/rules/epoch.ts'
import { epochRules } from '../../../src/rules/epoch-rules.ts'
import { encodeDataset, parseDataset } from '../../../src/subnet/dataset.ts'
import { parseDefinition, type SubnetDefinition } from '../../../src/subnet/definition.ts'
import { appendEntry, type ChangedLog, changeEntry, type Difference, withBytes } from './changed-log.ts'
import { entriesOf, find, inOrder, withBlob } from './recorded-log.ts'

const NOTHING = new Uint8Array(32)

export const DIFFERENCES_IN_LOG: Difference[] = [
  [
    'a worker that did not sign its address',
    'workers: signature_invalid',
    (log) => changeEntry(log, 'worker', (entry) => ({ ...entry, address: freshAddress() })),
  ],
  [
    'a worker whose address can not be paid',
    'workers: signature_invalid',
    (log) => changeEntry(log, 'worker', (entry) => ({ ...entry, address: 'nowhere' })),
  ],
  ['a worker registered twice', 'workers: worker_repeated', (log) => appendEntry(log, 'worker')],
  ['a second genesis', 'genesis: genesis_repeated', (log) => appendEntry(log, 'genesis')],
  [
    'a treasury that is no address',
    'genesis: address_invalid',
    (log) => changeEntry(log, 'genesis', (entry) => ({ ...entry, treasury: 'nowhere' })),
  ],
  [
    'a calendar that leaves no time for verdicts',
    'genesis: calendar_unsound',
    (log) =>
      changeEntry(log, 'genesis', (entry) => ({ ...entry, epoch: { ...entry.epoch, verdictBlocks: 3 } })),
  ],
  [
    'a definition of another subnet',
    'subnets: name_mismatch',
    (log) => changeEntry(log, 'subnet', (entry) => ({ ...entry, name: 'other' })),
  ],
  [
    'a definition that is withheld',
    'subnets: blob_missing',
    (log) => changeEntry(log, 'subnet', (entry) => ({ ...entry, definition: NOTHING })),
  ],
  ['a model that is withheld', 'subnets: blob_missing', withheldModel],
  [
    'a model of another size',
    'subnets: model_size_mismatch',
    (log) =>
      changeDefinition(log, ({ models, ...definition }) => ({
        ...definition,
        models: models.map((model) => ({ ...model, bytes: model.bytes + 1 })),
      })),
  ],
  [
    'a dataset of more items than its list has',
    'subnets: dataset_mismatch',
    (log) =>
      changeDefinition(log, ({ dataset, ...definition }) => ({
        ...definition,
        dataset: dataset === null ? null : { ...dataset, items: dataset.items + 1 },
      })),
  ],
  ['a definition that is none', 'subnets: subnet_malformed', modelAsDefinition],
  ['a dataset whose items changed their numbers', 'subnets: dataset_differs', otherDataset],
  ['work on a dataset that is not the subnet’s', 'openings: dataset_unknown', foreignDataset],
  ['work on an input that is not the item’s', 'openings: item_mismatch', foreignItems],
  [
    'a definition of an epoch that is over',
    'subnets: subnet_in_the_past',
    (log) => appendEntry(log, 'subnet'),
  ],
  ['a definition of an epoch that has begun', 'subnets: subnet_in_the_past', redefinedInEpoch],
  ['a definition of an epoch whose work is leased', 'subnets: subnet_in_the_past', redefinedAfterLease],
  [
    'a log that ends before what the operator spoke of',
    'log: log_shorter_than_claimed',
    async (log) => {
      if (log.claims === null) throw new Error('the operator spoke of it')
      const size = log.claims.size + 1_000
      return { source: { ...log, claims: { ...log.claims, size } }, entry: null }
    },
  ],
  [
    'an entry that is none',
    'log: entry_malformed',
    async (log) => ({ source: await withBytes(log, 3, Uint8Array.of(0)), entry: 3 }),
  ],
]

/** A second definition at the end of the log: the same items, the other way round. */
async function otherDataset(log: ReplaySource): Promise<ChangedLog> {
  const { definition, entry } = await definitionOf(log)
  const { source, digest } = await withReversedDataset(log, { ...definition, effectiveEpoch: 1_000 })
  const entries = [...(await entriesOf(log)), encodeEntry({ ...entry, definition: digest })]
  return { source: { ...source, entries: () => inOrder(entries) }, entry: entries.length - 1 }
}

/** The subnet has had another list all along than the one that the jobs came from. */
async function foreignDataset(log: ReplaySource): Promise<ChangedLog> {
  const { definition, index, entry } = await definitionOf(log)
  const { source, digest } = await withReversedDataset(log, definition)
  return {
    source: await withBytes(source, index, encodeEntry({ ...entry, definition: digest })),
    entry: (await find(log, 'epoch')).index,
  }
}

/** What the dataset's name stands for has its items the other way round. */
async function foreignItems(log: ReplaySource): Promise<ChangedLog> {
  const { dataset } = (await definitionOf(log)).definition
  const list = dataset === null ? null : await log.blob(dataset.list)
  if (dataset === null || list === null) throw new Error('the subnet has a dataset')
  const reversed = encodeDataset(parseDataset(list).toReversed())
  const blob = async (asked: Uint8Array) =>
    Buffer.compare(asked, dataset.list) === 0 ? reversed : log.blob(asked)
  return { source: { ...log, blob }, entry: (await find(log, 'epoch')).index }
}

/** In the place of a price, right after a settlement, from the epoch on in which that was due. */
async function redefinedInEpoch(log: ReplaySource): Promise<ChangedLog> {
  const { entry: genesis } = await find(log, 'genesis')
  const { index, entry } = await find(log, 'epoch', ({ epoch }) => epoch > 0)
  return redefined(log, index, epochOf(entry.height, epochRules(genesis)) ?? 0)
}

/** Nothing but a lease tells that the epoch has begun. */
async function redefinedAfterLease(log: ReplaySource): Promise<ChangedLog> {
  const { index, entry } = await find(log, 'jobs')
  return redefined(log, index, entry.epoch)
}

/** The same definition again, but for when it counts from, in the place of the first price after `index`. */
async function redefined(log: ReplaySource, index: number, effectiveEpoch: number): Promise<ChangedLog> {
  const { definition, entry } = await definitionOf(log)
  const { source, digest } = withBlob(log, { ...definition, effectiveEpoch })
  const later = (await entriesOf(log)).findIndex(
    (bytes, i) => i > index && parseEntry(bytes).kind === 'price',
  )
  return {
    source: await withBytes(source, later, encodeEntry({ ...entry, definition: digest })),
    entry: later,
  }
}

async function withReversedDataset(log: ReplaySource, definition: SubnetDefinition) {
  const { dataset } = definition
  const list = dataset === null ? null : await log.blob(dataset.list)
  if (dataset === null || list === null) throw new Error('the subnet has a dataset')
  const reversed = withBlob(log, parseDataset(list).toReversed())
  return withBlob(reversed.source, { ...definition, dataset: { ...dataset, list: reversed.digest } })
}

async function withheldModel(log: ReplaySource): Promise<ChangedLog> {
  const { digest, index } = await modelOf(log)
  const blob = async (asked: Uint8Array) => (Buffer.compare(asked, digest) === 0 ? null : log.blob(asked))
  return { source: { ...log, blob }, entry: index }
}

async function modelAsDefinition(log: ReplaySource): Promise<ChangedLog> {
  const { digest } = await modelOf(log)
  return changeEntry(log, 'subnet', (entry) => ({ ...entry, definition: digest }))
}

/** Of the first subnet entry. */
export async function changeDefinition(
  log: ReplaySource,
  change: (definition: SubnetDefinition) => SubnetDefinition,
): Promise<ChangedLog> {
  const { definition, index, entry } = await definitionOf(log)
  const { source, digest } = withBlob(log, change(definition))
  return {
    source: await withBytes(source, index, encodeEntry({ ...entry, definition: digest })),
    entry: index,
  }
}

async function modelOf(log: ReplaySource): Promise<{ digest: Uint8Array; index: number }> {
  const { definition, index } = await definitionOf(log)
  const [model] = definition.models
  if (model === undefined) throw new Error('a subnet has a model')
  return { digest: model.digest, index }
}

async function definitionOf(log: ReplaySource) {
  const { index, entry } = await find(log, 'subnet')
  const bytes = await log.blob(entry.definition)
  if (bytes === null) throw new Error('the definition is there')
  return { index, entry, definition: parseDefinition(bytes) }
}
