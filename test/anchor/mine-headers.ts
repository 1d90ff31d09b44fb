import { doubleSha256 } from '../../anchor/block-header.ts'

/** Target of 0x207fffff as the top byte of a hash shows it: every second hash is below. */
export const EASY_BITS = 0x207f_ffff

export interface HeaderPlan {
  /** Unix seconds. */
  time: number
  bits: number
}

/** Headers on top of `genesis`, one for each plan, mined until `isGood` likes the hash (internal byte order). */
export function mineHeaders(
  genesis: Uint8Array,
  plans: readonly HeaderPlan[],
  isGood: (digest: Buffer, bits: number) => boolean,
): Uint8Array {
  const headers = [Buffer.from(genesis)]
  for (const [index, { time, bits }] of plans.entries()) {
    const header = Buffer.alloc(80)
    header.writeInt32LE(4, 0)
    doubleSha256(headers[index] ?? genesis).copy(header, 4)
    header.fill(index % 256, 36, 68)
    header.writeUInt32LE(time, 68)
    header.writeUInt32LE(bits, 72)
    for (let nonce = 0; !isGood(doubleSha256(header), bits); nonce++) header.writeUInt32LE(nonce, 76)
    headers.push(header)
  }
  return new Uint8Array(Buffer.concat(headers))
}
