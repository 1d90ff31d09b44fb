import { randomBytes } from 'node:crypto'
import { checkHashSignature, signHash } from './bip340.ts'
import { encodeCbor } from './canonical-cbor.ts'
import { sha256, taggedHash } from './tagged-hash.ts'
import { publicKeyOf } from './worker-key.ts'

const AUTHORIZATION =
  /^Assay-BIP340 key=([0-9a-f]{64}),time=(0|[1-9][0-9]{0,15}),nonce=([0-9a-f]{32}),signature=([0-9a-f]{128})$/

interface RequestTarget {
  /** The log's: a request to one coordinator is none to another of the same worker's. */
  origin: string
  /** `POST` */
  method: string
  /** With the query, as in the request line. */
  path: string
  body: Uint8Array
}

/** What an `authorization` header says; nothing of it is checked yet. */
interface RequestSignature {
  key: Uint8Array
  timeMs: number
  nonce: Uint8Array
  signature: Uint8Array
}

export class RequestSignatureError extends Error {
  readonly code = 'authorization_malformed'

  constructor() {
    super('authorization is not "Assay-BIP340 key=<hex>,time=<Unix ms>,nonce=<hex>,signature=<hex>"')
    this.name = 'RequestSignatureError'
  }
}

/** The `authorization` header of one request; sign again to send again, since nonces count once. */
export function signRequest(target: RequestTarget, secretKey: Uint8Array, timeMs: number): string {
  const nonce = randomBytes(16)
  const key = publicKeyOf(secretKey)
  const signature = signHash(requestHash(target, timeMs, nonce), secretKey)
  return `Assay-BIP340 key=${hex(key)},time=${timeMs},nonce=${hex(nonce)},signature=${hex(signature)}`
}

export function parseRequestSignature(authorization: string): RequestSignature {
  const [, key, time, nonce, signature] = AUTHORIZATION.exec(authorization) ?? []
  if (key === undefined || time === undefined || nonce === undefined || signature === undefined) {
    throw new RequestSignatureError()
  }
  if (!Number.isSafeInteger(Number(time))) throw new RequestSignatureError()
  return {
    key: Buffer.from(key, 'hex'),
    timeMs: Number(time),
    nonce: Buffer.from(nonce, 'hex'),
    signature: Buffer.from(signature, 'hex'),
  }
}

/** The signature alone: the age of `timeMs` and the nonce's freshness are for whoever keeps a clock and a memory. */
export function checkRequest(target: RequestTarget, signed: RequestSignature): boolean {
  return checkHashSignature(requestHash(target, signed.timeMs, signed.nonce), signed.key, signed.signature)
}

function requestHash(
  { origin, method, path, body }: RequestTarget,
  timeMs: number,
  nonce: Uint8Array,
): Uint8Array {
  return taggedHash(`assay/request/${origin}`, encodeCbor([method, path, sha256(body), timeMs, nonce]))
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
