import { checkHashSignature, signHash } from './bip340.ts'
import { encodeCbor } from './canonical-cbor.ts'
import { taggedHash } from './tagged-hash.ts'
import { publicKeyOf } from './worker-key.ts'

/** The earnings of key `worker` go to `address`. */
export interface Registration {
  readonly worker: Uint8Array
  readonly address: string
  /** Its own wish: it is paid nothing below. */
  readonly thresholdSats: bigint
  readonly signature: Uint8Array
}

/** For the log named `origin` alone. */
export function signRegistration(
  address: string,
  origin: string,
  secretKey: Uint8Array,
  thresholdSats = 0n,
): Registration {
  const registered = { worker: publicKeyOf(secretKey), address, thresholdSats }
  return { ...registered, signature: signHash(registrationHash(registered, origin), secretKey) }
}

export function checkRegistration(registration: Registration, origin: string): boolean {
  const { worker, signature } = registration
  return checkHashSignature(registrationHash(registration, origin), worker, signature)
}

function registrationHash(
  { worker, address, thresholdSats }: Omit<Registration, 'signature'>,
  origin: string,
): Uint8Array {
  return taggedHash(`assay/worker/${origin}`, encodeCbor([worker, address, thresholdSats]))
}
