import { MAX_MODEL_BYTES } from '../../compute/onnx/admission.ts'
import { hex } from '../../compute/work/hex.ts'
import type { EntryOf } from '../log/entry.ts'
import { epochOf } from '../rules/epoch.ts'
import { parseDataset } from '../subnet/dataset.ts'
import { parseDefinition, type SubnetDefinition } from '../subnet/definition.ts'
import { type Check, readable } from './findings.ts'
import { readBlob } from './read-blob.ts'
import type { ReplayState } from './replay-state.ts'

/** A definition parses, comes before the epoch in which it counts and all work of it, and what it names can be had. */
export async function checkSubnet(
  state: ReplayState,
  entry: EntryOf<'subnet'>,
  index: number,
): Promise<void> {
  const check = state.findings.at('subnets', index)
  const bytes = await readBlob(state, check, entry.definition, 'definition')
  const definition = bytes === null ? null : readable(check, () => parseDefinition(bytes))
  if (definition === null) return
  const { name, effectiveEpoch } = definition
  check(name === entry.name, 'name_mismatch', () => `the definition is of ${name}, not ${entry.name}`)
  const epoch = epochOf(state.knownHeight, state.rules) ?? -1
  const isComing =
    effectiveEpoch > epoch && ![...state.jobs.values()].some((job) => job.epoch >= effectiveEpoch)
  check(
    isComing,
    'subnet_in_the_past',
    () => `counts from epoch ${effectiveEpoch}, logged in ${epoch} or later, or when work of it was leased`,
  )
  await checkModels(state, check, definition)
  await checkDataset(state, check, definition)
  state.markets.add(definition)
  if (definition.privacy === 'private') state.privateWork.subnets.add(name)
}

async function checkModels(state: ReplayState, check: Check, { models }: SubnetDefinition): Promise<void> {
  for (const { name, digest, bytes } of models) {
    const file = await readBlob(state, check, digest, `model ${name}`, Math.min(bytes, MAX_MODEL_BYTES))
    if (file === null) continue
    check(
      file.length === bytes,
      'model_size_mismatch',
      () => `model ${name} has ${file.length} bytes, not ${bytes}`,
    )
  }
}

async function checkDataset(state: ReplayState, check: Check, definition: SubnetDefinition): Promise<void> {
  const { dataset } = definition
  const list = dataset === null ? null : await readBlob(state, check, dataset.list, 'dataset list')
  if (dataset === null || list === null) return
  const inputs = readable(check, () => parseDataset(list))
  if (inputs === null) return
  check(
    inputs.length === dataset.items,
    'dataset_mismatch',
    () => `the list ${hex(dataset.list)} holds ${inputs.length} items, not ${dataset.items}`,
  )
  await checkItems(state, check, definition, inputs)
}

/** An item is known by its number: a later dataset may go on where the one before ended, and never differ from it. */
async function checkItems(
  state: ReplayState,
  check: Check,
  { name, models }: SubnetDefinition,
  inputs: readonly Uint8Array[],
): Promise<void> {
  const earlier = models.flatMap(({ digest }) => state.markets.withDataset(name, digest))
  const lists = new Map(earlier.map(({ dataset: { list } }) => [hex(list), list]))
  for (const digest of lists.values()) {
    const list = await readBlob(state, check, digest, 'dataset list')
    const items = list === null ? null : readable(check, () => parseDataset(list))
    const differing = items?.findIndex((item, i) => Buffer.compare(item, inputs[i] ?? new Uint8Array()) !== 0)
    check(
      differing === undefined || differing === -1,
      'dataset_differs',
      () => `item ${differing} of ${name} is another one already`,
    )
  }
}
