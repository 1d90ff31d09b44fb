/** What the key of a worker's old address signs so that its earnings go elsewhere (docs/PROTOCOL.md §3). */
export interface AddressChange {
  readonly worker: Uint8Array
  readonly address: string
  readonly thresholdSats: bigint
  /** The entry that declared the old address. */
  readonly replaces: number
  /** The last block that may anchor it. */
  readonly expiryHeight: number
}

/** One line, so that every wallet shows and signs it alike. */
export function addressChangeMessage(change: AddressChange, origin: string): string {
  const { worker, address, thresholdSats, replaces, expiryHeight } = change
  const key = Buffer.from(worker).toString('hex')
  return (
    `Assay log ${origin}: pay worker ${key} to ${address} from ${thresholdSats} sat on, ` +
    `in place of entry ${replaces}, if anchored by block ${expiryHeight}`
  )
}
