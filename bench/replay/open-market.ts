import { sha256 } from '../../compute/work/tagged-hash.ts'
import { encodeDataset } from '../../src/subnet/dataset.ts'
import { encodeDefinition, type SubnetDefinition, type SubnetModel } from '../../src/subnet/definition.ts'
import { TINY_MODEL, tinyDefinition } from '../../test/src/coordinator/tiny-market.ts'
import type { MirrorWriter } from './mirror-folder.ts'

/** 100 msat for each unit. */
export const PRICE_MSAT = 10n ** 17n

/** A subnet with the one model of its market, and the digest of its dataset's list. */
export interface Stall {
  readonly subnet: SubnetDefinition
  readonly model: SubnetModel
  readonly list: Uint8Array
}

/** What an item is computed from; each is another one. */
export function itemInputs(subnet: string, item: number): Uint8Array {
  return Buffer.from(`${subnet} ${item}`)
}

/** Logs as many subnets as are asked for, each with a dataset of its own. One receipt in a hundred is audited at least. */
export function openMarket(
  mirror: MirrorWriter,
  { subnets, items, perEpoch }: { subnets: number; items: number; perEpoch: number },
): Stall[] {
  mirror.put(TINY_MODEL)
  return Array.from({ length: subnets }, (_, i) => {
    const name = `subnet-${i}`
    const inputs = Array.from({ length: items }, (_, item) => sha256(itemInputs(name, item)))
    const list = mirror.put(encodeDataset(inputs))
    const subnet: SubnetDefinition = {
      ...tinyDefinition(),
      name,
      auditFloor: { numerator: 1, denominator: 100 },
      dataset: { items, list, perEpoch },
      objective: i % 2 === 0 ? { name: 'throughput' } : { name: 'latency', targetMs: 100, limitMs: 2_000 },
      operatorBasisPoints: 1_000,
      price: PRICE_MSAT,
    }
    mirror.append({ v: 1, kind: 'subnet', name, definition: mirror.put(encodeDefinition(subnet)) })
    const [model] = subnet.models
    if (model === undefined) throw new Error('a definition has a model')
    return { subnet, model, list }
  })
}
