import { readFile } from 'node:fs/promises'
import { modelMacs } from '../../compute/runtime/model-macs.ts'
import { encodeTensorBundle } from '../../compute/work/tensor-bundle.ts'
import { exactProfile } from '../client/exact-profile.ts'
import { publishSubnet } from '../client/publish-subnet.ts'
import { ROWS_PER_EPOCH, SUBNET } from './demo-plan.ts'

/** Defines the demo's subnet: the model trained a moment ago, and rows that it never saw as the open dataset. */
export async function publishDigits(
  url: string,
  token: string,
  modelFile: string,
  rows: readonly Float32Array[],
): Promise<number> {
  const file = new Uint8Array(await readFile(modelFile))
  return publishSubnet(url, token, {
    name: SUBNET,
    auditFloor: { numerator: 1, denominator: 100 },
    effectiveEpoch: 0,
    objective: { name: 'throughput' },
    operatorBasisPoints: 0,
    price: 0n,
    privacy: 'public',
    weight: 1,
    models: [
      {
        name: 'digits',
        file,
        falseFailRate: { numerator: 1, denominator: 1_000 },
        license: { redistributable: true, source: 'trained by compute/digits/train.ts', spdx: 'MIT' },
        profile: exactProfile(),
        unitsPerItem: Number(await modelMacs(file)),
        version: 1,
      },
    ],
    dataset: { items: rows.map(bundleOf), perEpoch: ROWS_PER_EPOCH },
  })
}

function bundleOf(row: Float32Array): Uint8Array {
  const data = new Uint8Array(row.buffer, row.byteOffset, row.byteLength)
  return encodeTensorBundle([{ name: 'pixels', datatype: 'FP32', shape: [1, row.length], data }])
}
