type SuccessionErrorCode =
  | 'log_unanchored' // nothing of it is final in the chain
  | 'anchors_broken' // its anchors are no chain of seals over it
  | 'seal_unspent' // nothing has broken its seal: it can go on
  | 'not_final_yet' // its last anchor, what broke its seal, or a payment
  | 'payout_open' // an intent to pay that may still be carried out
  | 'log_differs' // its entries don't follow from each other
  | 'coins_unknown' // a payment can't be read in this chain

/** Why no log can take over from another one yet, or at all. Match on `code`. */
export class SuccessionError extends Error {
  override readonly name = 'SuccessionError'
  readonly code: SuccessionErrorCode

  constructor(code: SuccessionErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
