type PayerErrorCode =
  | 'insufficient_funds' // the coins that may be spent don't cover total, highest fee and change
  | 'coins_too_small' // as many as one payout may spend don't, and there are more
  | 'payout_differs' // the same id with another total or other outputs
  | 'payout_unknown' // prepare before pin
  | 'payout_closed' // settled or voided: nothing is to be done for it
  | 'input_spent' // an input went into something else
  | 'input_unspent' // no block has anything that spends an input, so the payment may yet be mined
  | 'spender_unread' // it stands in a block that is not read yet, or pruned
  | 'spend_not_final' // a block has, and may yet leave the chain
  | 'spend_is_payment' // what has spent them is the payment itself
  | 'node_syncing' // the node is still catching up: a coin may be spent already
  | 'stopped' // by the kill switch
  | 'nothing_to_sign' // an import where nothing waits for a signature
  | 'fee_stalled' // the node asks for more than the policy's limits

export class PayerError extends Error {
  override readonly name = 'PayerError'
  readonly code: PayerErrorCode
  /** The figures behind `insufficient_funds`, `coins_too_small` and `fee_stalled`. */
  readonly neededSats: bigint | null
  readonly availableSats: bigint | null

  constructor(
    code: PayerErrorCode,
    message: string,
    figures: { neededSats?: bigint; availableSats?: bigint } = {},
  ) {
    super(message)
    this.code = code
    this.neededSats = figures.neededSats ?? null
    this.availableSats = figures.availableSats ?? null
  }
}
