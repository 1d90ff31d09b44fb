import { encodeCbor, MAX_EPOCH_VALUES } from '../../compute/work/canonical-cbor.ts'
import type { EpochSettlement } from '../rules/settle-epoch.ts'

/** The blob that an `epoch` entry names: who earned what, and of every receipt why (PROTOCOL §4). */
export function encodeAccruals(epoch: number, shares: EpochSettlement): Uint8Array {
  return encodeCbor({ ...shares, epoch, v: 1 }, { maxValues: MAX_EPOCH_VALUES })
}
