import { expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import {
  encodeDefinition,
  parseDefinition,
  type SubnetDefinition,
  type SubnetModel,
} from '../../../src/subnet/definition.ts'
import { fromHex, readVector, toHex } from '../../compute/work/read-vector.ts'

const MODEL: SubnetModel = {
  bytes: 26_394,
  digest: new Uint8Array(32).fill(1),
  falseFailRate: { numerator: 3, denominator: 1_000 },
  license: { redistributable: true, source: 'https://example.org/digits', spdx: 'MIT' },
  name: 'digits-v1.0_a',
  profile: {
    comparison: 'exact',
    device: 'x86-64-v3',
    optimization: 'disabled',
    ort: '1.30.0',
    precision: 'fp32',
    provider: 'cpu',
    threads: 1,
  },
  unitsPerItem: 4_810,
  version: 1,
}
function speed(targetMs: number, limitMs: number) {
  return { objective: { name: 'latency' as const, targetMs, limitMs } }
}

interface Variant {
  changes: Partial<SubnetDefinition>
  bytes: string
  digest: string
}

const DATASET = { items: 300, list: new Uint8Array(32).fill(2), perEpoch: 60 }
const DEFINITION: SubnetDefinition = {
  v: 1,
  auditFloor: { numerator: 1, denominator: 100 },
  dataset: DATASET,
  effectiveEpoch: 3,
  models: [MODEL, { ...MODEL, name: 'other', digest: new Uint8Array(32).fill(3) }],
  name: 'digits',
  objective: { name: 'throughput' },
  operatorBasisPoints: 250,
  price: 40_000n,
  privacy: 'public',
  weight: 5,
}

test('a definition is read back as it was written, byte for byte', () => {
  const bytes = encodeDefinition(DEFINITION)
  expect(parseDefinition(bytes)).toEqual(DEFINITION)
  expect(encodeDefinition(parseDefinition(bytes))).toEqual(bytes)
})

test.each<[string, Partial<SubnetDefinition>]>([
  ['no dataset', { dataset: null }],
  ['pay for speed', speed(0, 1)],
  ['pay for speed within a day', speed(86_399_999, 86_400_000)],
  ['private work', { dataset: null, privacy: 'private' }],
  ['audits of everything', { auditFloor: { numerator: 7, denominator: 7 } }],
  ['audits of nothing but what is at stake', { auditFloor: { numerator: 0, denominator: 1 } }],
  ['the noisiest model', { models: [{ ...MODEL, falseFailRate: { numerator: 50, denominator: 1_000 } }] }],
  [
    'a model that any machine may run, within bounds',
    {
      models: [
        {
          ...MODEL,
          profile: {
            bounds: [
              {
                atol: { digits: 12, scale: 39 },
                output: 'logits',
                rtol: { digits: 77, scale: 7 },
                top: { count: 1, tie: { digits: 39, scale: 7 } },
              },
            ],
            comparison: 'tolerant',
            detections: [{ caught: 29, cheat: 'fp16_weights', runs: 30 }],
            precision: 'fp32',
          },
        },
      ],
    },
  ],
  ['the longest name', { name: 'a'.repeat(64) }],
  ['the greatest weight', { weight: 1_000_000 }],
  ['free requests', { price: 0n, operatorBasisPoints: 0 }],
  ['the least price', { price: 1_000n }],
  ['the greatest price, all of it the operator’s', { price: 10n ** 18n, operatorBasisPoints: 10_000 }],
])('%s is a definition', (_what, changes) => {
  const definition = { ...DEFINITION, ...changes }
  expect(parseDefinition(encodeDefinition(definition))).toEqual(definition)
})

test.each(['private', 'latency'] as const)(
  'a definition of %s work has the bytes and digest of the vector',
  (kind) => {
    const vector = readVector<{
      definition: SubnetDefinition
      private: Variant
      latency: Variant
    }>('subnet-definition')
    const { changes, ...expected } = vector[kind]
    const bytes = encodeDefinition({ ...vector.definition, ...changes })
    expect({ bytes: toHex(bytes), digest: toHex(sha256(bytes)) }).toEqual(expected)
  },
)

test('a definition with a model of either comparison has the bytes and digest of the vector', () => {
  const vector = readVector<{ definition: SubnetDefinition; bytes: string; digest: string }>(
    'subnet-definition',
  )
  const bytes = encodeDefinition(vector.definition)
  expect(toHex(bytes)).toBe(vector.bytes)
  expect(toHex(sha256(bytes))).toBe(vector.digest)
  expect(parseDefinition(fromHex(vector.bytes))).toEqual(vector.definition)
})

const { name: _, ...nameless } = DEFINITION
const { version: __, ...versionless } = MODEL
const ratio = (numerator: number, denominator: number) => ({ numerator, denominator })
const oneModel = (changes: object) => ({ models: [{ ...MODEL, ...changes }] })

test.each<[string, unknown]>([
  ['a list', [DEFINITION]],
  ['a missing key', nameless],
  ['an unknown key', { ...DEFINITION, fee: 1 }],
  ['version 2', { ...DEFINITION, v: 2 }],
  ['a floor above 1', { ...DEFINITION, auditFloor: { numerator: 2, denominator: 1 } }],
  ['a floor over 0', { ...DEFINITION, auditFloor: { numerator: 0, denominator: 0 } }],
  ['a floor below 0', { ...DEFINITION, auditFloor: { numerator: -1, denominator: 1 } }],
  ['an empty dataset', { ...DEFINITION, dataset: { ...DATASET, items: 0 } }],
  ['a dataset of 1,000,001 items', { ...DEFINITION, dataset: { ...DATASET, items: 1_000_001 } }],
  ['a list of 31 bytes', { ...DEFINITION, dataset: { ...DATASET, list: new Uint8Array(31) } }],
  ['no item per epoch', { ...DEFINITION, dataset: { ...DATASET, perEpoch: 0 } }],
  ['an epoch below 0', { ...DEFINITION, effectiveEpoch: -1 }],
  ['no model', { ...DEFINITION, models: [] }],
  [
    '65 models',
    { ...DEFINITION, models: Array.from({ length: 65 }, (_, i) => ({ ...MODEL, name: `m${i}` })) },
  ],
  ['two models of one name', { ...DEFINITION, models: [MODEL, { ...MODEL, digest: new Uint8Array(32) }] }],
  ['one model under two names', { ...DEFINITION, models: [MODEL, { ...MODEL, name: 'other' }] }],
  ['a name in capitals', { ...DEFINITION, name: 'Digits' }],
  ['an empty name', { ...DEFINITION, name: '' }],
  ['a name of 65 characters', { ...DEFINITION, name: 'a'.repeat(65) }],
  ['the name of a path', { ...DEFINITION, name: '../digits' }],
  ['an unknown objective', { ...DEFINITION, objective: { name: 'speed' } }],
  ['an objective without its terms', { ...DEFINITION, objective: { name: 'latency' } }],
  ['terms of another objective', { ...DEFINITION, objective: { name: 'throughput', limitMs: 1 } }],
  ['a latency limit at its target', { ...DEFINITION, ...speed(500, 500) }],
  ['a latency limit above a day', { ...DEFINITION, ...speed(0, 86_400_001) }],
  ['a latency target below 0', { ...DEFINITION, ...speed(-1, 500) }],
  ['private work on an open dataset', { ...DEFINITION, privacy: 'private' }],
  ['work that is half private', { ...DEFINITION, dataset: null, privacy: 'secret' }],
  ['no weight', { ...DEFINITION, weight: 0 }],
  ['a price that could not move', { ...DEFINITION, price: 999n }],
  ['a price above the limit', { ...DEFINITION, price: 10n ** 18n + 1n }],
  ['a negative price', { ...DEFINITION, price: -1n }],
  ['a share above the whole', { ...DEFINITION, operatorBasisPoints: 10_001 }],
  ['a weight above the limit', { ...DEFINITION, weight: 1_000_001 }],
  [
    'a model that may not be passed on',
    { ...DEFINITION, ...oneModel({ license: { ...MODEL.license, redistributable: false } }) },
  ],
  ['a model without a licence', { ...DEFINITION, ...oneModel({ license: { ...MODEL.license, spdx: '' } }) }],
  [
    'a licence in prose',
    { ...DEFINITION, ...oneModel({ license: { ...MODEL.license, spdx: 'Apache 2.0' } }) },
  ],
  ['a model of 0 bytes', { ...DEFINITION, ...oneModel({ bytes: 0 }) }],
  ['a model that never fails honest work', { ...DEFINITION, ...oneModel({ falseFailRate: ratio(0, 1) }) }],
  ['a rate over 0', { ...DEFINITION, ...oneModel({ falseFailRate: ratio(1, 0) }) }],
  [
    'a model that fails honest work too often',
    { ...DEFINITION, ...oneModel({ falseFailRate: ratio(51, 1_000) }) },
  ],
  ['a model without work', { ...DEFINITION, ...oneModel({ unitsPerItem: 0 }) }],
  ['a model of version 0', { ...DEFINITION, ...oneModel({ version: 0 }) }],
  ['a model of no version', { ...DEFINITION, models: [versionless] }],
  ['a model named by a path', { ...DEFINITION, ...oneModel({ name: 'a/b' }) }],
  ['a digest of 33 bytes', { ...DEFINITION, ...oneModel({ digest: new Uint8Array(33) }) }],
  [
    'a comparison that is not exact',
    { ...DEFINITION, ...oneModel({ profile: { ...MODEL.profile, comparison: 'loose' } }) },
  ],
  ['an unknown provider', { ...DEFINITION, ...oneModel({ profile: { ...MODEL.profile, provider: 'tpu' } }) }],
  [
    'a cheat claimed that slips through too often',
    {
      ...DEFINITION,
      ...oneModel({
        profile: {
          bounds: [],
          comparison: 'tolerant',
          detections: [{ caught: 26, cheat: 'fp16_weights', runs: 30 }],
          precision: 'fp32',
        },
      }),
    },
  ],
  ['no threads', { ...DEFINITION, ...oneModel({ profile: { ...MODEL.profile, threads: 0 } }) }],
])('%s is refused', (_what, value) => {
  expect(() => parseDefinition(encodeCbor(value))).toThrow(
    expect.objectContaining({ code: 'subnet_malformed' }),
  )
})

test.each<[string, Uint8Array]>([
  ['nothing', new Uint8Array()],
  ['text', Buffer.from('name = "digits"')],
  ['a definition cut short', encodeDefinition(DEFINITION).slice(0, -1)],
  ['bytes after a definition', Buffer.concat([encodeDefinition(DEFINITION), Uint8Array.of(0)])],
  ['more than 64 KiB', encodeCbor({ ...DEFINITION, name: 'a'.repeat(65_536) })],
])('%s is refused', (_what, bytes) => {
  expect(() => parseDefinition(bytes)).toThrow(expect.objectContaining({ code: 'subnet_malformed' }))
})
