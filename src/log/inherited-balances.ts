/** What a closed log held and owed at its last anchor (docs/PROTOCOL.md §4): the blob that a successor's genesis names. */
import { z } from 'zod'
import { decodeCbor, encodeCbor, MAX_EPOCH_VALUES } from '../../compute/work/canonical-cbor.ts'
import { bytes32 } from '../../compute/work/record.ts'
import { address, coin, requesterName } from './entry.ts'
import { money } from './money.ts'

const schema = z.strictObject({
  v: z.literal(1),
  /** The old log's address; of its coins, too. */
  treasury: address,
  /** By txid and vout. */
  coins: z.array(coin),
  /** By name. */
  requesters: z.array(z.strictObject({ requester: requesterName, msat: money })),
  /** By key. */
  workers: z.array(z.strictObject({ worker: bytes32, address, maturedMsat: money, unmaturedMsat: money })),
})

export type InheritedBalances = z.output<typeof schema>

/** 100,000 workers of some 170 bytes, requesters and coins beside them. */
const MAX_BYTES = 64 * 1024 * 1024

export function encodeInheritedBalances(balances: InheritedBalances): Uint8Array {
  return encodeCbor(schema.parse(balances), { maxValues: MAX_EPOCH_VALUES })
}

/** Throws CborError, ZodError. */
export function parseInheritedBalances(bytes: Uint8Array): InheritedBalances {
  return schema.parse(decodeCbor(bytes, { maxBytes: MAX_BYTES, maxValues: MAX_EPOCH_VALUES }))
}

/** What is owed in all, msat. */
export function inheritedMsat({ requesters, workers }: InheritedBalances): bigint {
  const ofWorkers = workers.reduce((sum, one) => sum + one.maturedMsat + one.unmaturedMsat, 0n)
  return requesters.reduce((sum, { msat }) => sum + msat, ofWorkers)
}
