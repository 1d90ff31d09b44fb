import { hash } from 'node:crypto'

/** SHA-256 of the joined parts, read as a 256-bit big-endian integer. */
export function drawNumber(...parts: Uint8Array[]): bigint {
  return BigInt(`0x${hash('sha256', Buffer.concat(parts), 'hex')}`)
}
