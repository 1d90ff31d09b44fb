import { Transaction } from 'bitcoinjs-lib'

/** Bytes of the largest transaction that nodes relay: 400,000 weight units, all of them witness (BIP-141). */
const MAX_TRANSACTION_BYTES = 400_000
/**
 * A transaction of 64 bytes can pass for an inner node of the block's Merkle tree (CVE-2017-12842); nodes don't
 * relay transactions below 65 non-witness bytes (Bitcoin Core, policy/policy.h).
 */
const MIN_STRIPPED_BYTES = 65

/** bitcoinjs' view of a transaction, only if these are the bytes that it would write itself; else null. */
export function parseTransaction(raw: Uint8Array): Transaction | null {
  if (raw.length > MAX_TRANSACTION_BYTES) return null
  try {
    const transaction = Transaction.fromBuffer(raw)
    if (transaction.byteLength(false) < MIN_STRIPPED_BYTES) return null
    return Buffer.compare(transaction.toBuffer(), raw) === 0 ? transaction : null
  } catch {
    return null // bitcoinjs throws whatever it trips over; to the caller it is one thing: malformed
  }
}
