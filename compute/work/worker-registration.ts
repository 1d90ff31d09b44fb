import { checkHashSignature, signHash } from './bip340.ts'
import { encodeCbor } from './canonical-cbor.ts'
import { taggedHash } from './tagged-hash.ts'
import { publicKeyOf } from './worker-key.ts'

/** The earnings of key `worker` go to `address`. */
export interface Registration {
  readonly worker: Uint8Array
  readonly address: string
  readonly signature: Uint8Array
}

/** For the log named `origin` alone. */
export function signRegistration(address: string, origin: string, secretKey: Uint8Array): Registration {
  const worker = publicKeyOf(secretKey)
  return { worker, address, signature: signHash(registrationHash(worker, address, origin), secretKey) }
}

export function checkRegistration({ worker, address, signature }: Registration, origin: string): boolean {
  return checkHashSignature(registrationHash(worker, address, origin), worker, signature)
}

function registrationHash(worker: Uint8Array, address: string, origin: string): Uint8Array {
  return taggedHash(`assay/worker/${origin}`, encodeCbor([worker, address]))
}
