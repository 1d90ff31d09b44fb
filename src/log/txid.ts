/** A txid's bytes in internal order, from the reversed hex that Bitcoin shows (PROTOCOL §1). */
export function txidBytes(txid: string): Uint8Array {
  return new Uint8Array(Buffer.from(txid, 'hex').reverse())
}

export function txidText(bytes: Uint8Array): string {
  return Buffer.from(bytes).reverse().toString('hex')
}
