/** Bytes of a BIP-322 witness stack of one key: a DER signature of 72 bytes, a key, and their lengths take 108. */
export const MAX_SIGNATURE_BYTES = 128
