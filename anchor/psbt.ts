import { Transaction } from '@scure/btc-signer'

export class PsbtError extends Error {
  override readonly name = 'PsbtError'
  readonly code: 'psbt_malformed' | 'psbt_unsigned'

  constructor(code: PsbtError['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/** A payout of 2,000 payees and 200 coins takes about 120 kB; signers may add what they know of their keys. */
export const MAX_PSBT_BYTES = 1_000_000

/**
 * The full bytes of the transaction in a signed PSBT (BIP-174, BIP-371), finalised here where its signer has not. What
 * it does is for the caller to check. Throws PsbtError.
 */
export function finalizePsbt(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_PSBT_BYTES) {
    throw new PsbtError('psbt_malformed', `${bytes.length} bytes, at most ${MAX_PSBT_BYTES}`)
  }
  const transaction = parse(bytes)
  try {
    if (!transaction.isFinal) transaction.finalize()
    return transaction.extract()
  } catch (cause) {
    throw new PsbtError('psbt_unsigned', 'not every input is signed', cause)
  }
}

function parse(bytes: Uint8Array): Transaction {
  try {
    return Transaction.fromPSBT(bytes)
  } catch (cause) {
    throw new PsbtError('psbt_malformed', 'not a PSBT', cause)
  }
}
