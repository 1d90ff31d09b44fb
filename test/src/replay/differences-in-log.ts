import { freshAddress } from '../../../src/demo/site.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { parseDefinition } from '../../../src/subnet/definition.ts'
import { appendEntry, type ChangedLog, changeEntry, type Difference, withBytes } from './changed-log.ts'
import { find } from './recorded-log.ts'

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
  ['a definition that is none', 'subnets: subnet_malformed', modelAsDefinition],
  [
    'a definition of an epoch that is over',
    'subnets: subnet_in_the_past',
    (log) => appendEntry(log, 'subnet'),
  ],
  [
    'an entry that is none',
    'log: entry_malformed',
    async (log) => ({ source: await withBytes(log, 3, Uint8Array.of(0)), entry: 3 }),
  ],
]

async function withheldModel(log: ReplaySource): Promise<ChangedLog> {
  const { digest, index } = await modelOf(log)
  const blob = async (asked: Uint8Array) => (Buffer.compare(asked, digest) === 0 ? null : log.blob(asked))
  return { source: { ...log, blob }, entry: index }
}

async function modelAsDefinition(log: ReplaySource): Promise<ChangedLog> {
  const { digest } = await modelOf(log)
  return changeEntry(log, 'subnet', (entry) => ({ ...entry, definition: digest }))
}

async function modelOf(log: ReplaySource): Promise<{ digest: Uint8Array; index: number }> {
  const { index, entry } = await find(log, 'subnet')
  const bytes = await log.blob(entry.definition)
  const [model] = bytes === null ? [] : parseDefinition(bytes).models
  if (model === undefined) throw new Error('the subnet has a model')
  return { digest: model.digest, index }
}
