import { expect } from 'vitest'
import { encodeOts } from '../../../anchor/ots/encode-ots.ts'
import { type Attestation, linearTimestamp, type Op } from '../../../anchor/ots/timestamp.ts'

export const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
export const refusal = (code: string) => expect.objectContaining({ name: 'OtsError', code })
export const digest = new Uint8Array(32).fill(1)
export const bitcoin = (height: number): Attestation => ({ kind: 'bitcoin', height })
export const sha256: Op = { kind: 'sha256' }
export const append = (argument: Uint8Array): Op => ({ kind: 'append', argument })

const HEAD_BYTES = 65 // magic, version, hash, digest
export const head = encodeOts(linearTimestamp(digest, [], bitcoin(0))).slice(0, HEAD_BYTES)
export const fileOf = (body: string) => new Uint8Array([...head, ...bytes(body)])
export const HEIGHT_5 = '000588960d73d719010105'
