export type StallCode =
  | 'node_syncing' // the node is still catching up: nothing it says about absence counts
  | 'node_behind' // the node doesn't have the block of our last final anchor yet
  | 'final_reorged' // an anchor that was final left the best chain
  | 'tip_moving' // blocks came faster than they could be judged
  | 'seal_unconfirmed' // the first seal's transaction waits to be mined
  | 'seal_missing' // the seal was spent by a transaction that this database doesn't know, or never was
  | 'seal_contested' // such a transaction waits in the mempool
  | 'seal_mismatch' // the seal holds another value, or belongs to another key
  | 'seal_too_small' // the fee would leave dust
  | 'ceiling_reached' // the fee that the node asks for is above the policy's feerate
  | 'cap_reached' // … above its fee for one anchor
  | 'day_cap_reached' // … above what is left of a day's fees
  | 'refused' // the node won't relay the transaction
  | 'input_spent' // an input went away between judging and sending
  | 'send_unknown' // no answer to the broadcast; the same bytes are sent again

/** Why no anchor goes forward now. Judged afresh at each advance. */
export class AnchorStall extends Error {
  override readonly name = 'AnchorStall'
  readonly code: StallCode
  /** The fee that would be needed, where that is the reason. */
  readonly neededSats: bigint | null

  constructor(code: StallCode, message: string, neededSats: bigint | null = null) {
    super(message)
    this.code = code
    this.neededSats = neededSats
  }
}
