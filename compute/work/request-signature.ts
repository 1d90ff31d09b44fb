import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto'
import { checkHashSignature, signHash } from './bip340.ts'
import { encodeCbor } from './canonical-cbor.ts'
import { hex } from './hex.ts'
import { sha256, taggedHash } from './tagged-hash.ts'
import { publicKeyOf } from './worker-key.ts'

/** How far ahead a grant may reach: a session key that leaks is of use for no longer. */
export const MAX_SESSION_MS = 24 * 3_600_000

const AUTHORIZATION =
  /^Assay-Session key=([0-9a-f]{64}),session=([0-9a-f]{64}),until=(0|[1-9][0-9]{0,15}),grant=([0-9a-f]{128}),time=(0|[1-9][0-9]{0,15}),nonce=([0-9a-f]{32}),signature=([0-9a-f]{128})$/

/** RFC 8410: what stands before the 32 bytes of an Ed25519 key in PKCS #8 and in SubjectPublicKeyInfo. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

interface RequestTarget {
  /** The log's: a request to one coordinator is none to another of the same worker's. */
  origin: string
  /** `POST` */
  method: string
  /** With the query, as in the request line. */
  path: string
  body: Uint8Array
}

/** A worker's word that an Ed25519 key speaks for it for a while: its signatures cost a fiftieth of BIP-340's. */
interface SessionGrant {
  /** The worker's. */
  key: Uint8Array
  /** Ed25519. */
  session: Uint8Array
  untilMs: number
  grant: Uint8Array
}

/** What an `authorization` header says; nothing of it is checked yet. */
interface RequestSignature extends SessionGrant {
  timeMs: number
  nonce: Uint8Array
  signature: Uint8Array
}

export interface RequestSession {
  readonly untilMs: number
  /** The `authorization` header of one request; sign again to send again, since nonces count once. */
  sign(target: Omit<RequestTarget, 'origin'>, timeMs: number): string
}

export class RequestSignatureError extends Error {
  readonly code = 'authorization_malformed'

  constructor() {
    super(
      'authorization is not "Assay-Session key=<hex>,session=<hex>,until=<Unix ms>,grant=<hex>,time=<Unix ms>,nonce=<hex>,signature=<hex>"',
    )
    this.name = 'RequestSignatureError'
  }
}

/** Grants a new key the right to sign requests to the log named `origin` until `untilMs`. */
export function openRequestSession(origin: string, secretKey: Uint8Array, untilMs: number): RequestSession {
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, randomBytes(32)]),
    format: 'der',
    type: 'pkcs8',
  })
  const session = createPublicKey(privateKey)
    .export({ format: 'der', type: 'spki' })
    .subarray(SPKI_PREFIX.length)
  const grant = signHash(grantHash(origin, session, untilMs), secretKey)
  const granted = `key=${hex(publicKeyOf(secretKey))},session=${hex(session)},until=${untilMs},grant=${hex(grant)}`
  return {
    untilMs,
    sign(target, timeMs) {
      const nonce = randomBytes(16)
      const signature = sign(null, requestHash({ ...target, origin }, timeMs, nonce), privateKey)
      return `Assay-Session ${granted},time=${timeMs},nonce=${hex(nonce)},signature=${hex(signature)}`
    },
  }
}

export function parseRequestSignature(authorization: string): RequestSignature {
  const [, key, session, until, grant, time, nonce, signature] = AUTHORIZATION.exec(authorization) ?? []
  if (
    key === undefined ||
    session === undefined ||
    grant === undefined ||
    nonce === undefined ||
    signature === undefined ||
    !Number.isSafeInteger(Number(until)) ||
    !Number.isSafeInteger(Number(time))
  ) {
    throw new RequestSignatureError()
  }
  return {
    key: Buffer.from(key, 'hex'),
    session: Buffer.from(session, 'hex'),
    untilMs: Number(until),
    grant: Buffer.from(grant, 'hex'),
    timeMs: Number(time),
    nonce: Buffer.from(nonce, 'hex'),
    signature: Buffer.from(signature, 'hex'),
  }
}

/** The worker's signature under the grant alone: how long it may reach is for whoever keeps a clock. */
export function checkGrant(origin: string, { key, session, untilMs, grant }: SessionGrant): boolean {
  return checkHashSignature(grantHash(origin, session, untilMs), key, grant)
}

/** To be kept with a grant that is good: making it takes a third of what a check does. */
export function sessionKeyOf({ session }: SessionGrant): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, session]), format: 'der', type: 'spki' })
}

/** The session's signature alone: the grant, the age of `timeMs` and the nonce's freshness are checked apart. */
export function checkRequest(
  target: RequestTarget,
  signed: RequestSignature,
  sessionKey = sessionKeyOf(signed),
): boolean {
  return verify(null, requestHash(target, signed.timeMs, signed.nonce), sessionKey, signed.signature)
}

function grantHash(origin: string, session: Uint8Array, untilMs: number): Uint8Array {
  return taggedHash(`assay/session/${origin}`, encodeCbor([Uint8Array.from(session), untilMs]))
}

function requestHash(
  { origin, method, path, body }: RequestTarget,
  timeMs: number,
  nonce: Uint8Array,
): Uint8Array {
  return taggedHash(`assay/request/${origin}`, encodeCbor([method, path, sha256(body), timeMs, nonce]))
}
