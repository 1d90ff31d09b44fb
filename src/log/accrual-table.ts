import { encodeCbor, MAX_EPOCH_VALUES } from '../../compute/work/canonical-cbor.ts'
import type { Fee } from '../rules/fees.ts'
import type { EpochSettlement } from '../rules/settle-epoch.ts'

/** The blob that an `epoch` entry names: who earned what, who paid what, and of every receipt why (PROTOCOL §4). */
export function encodeAccruals(epoch: number, shares: EpochSettlement, fees: readonly Fee[]): Uint8Array {
  return encodeCbor({ ...shares, epoch, fees, v: 1 }, { maxValues: MAX_EPOCH_VALUES })
}
