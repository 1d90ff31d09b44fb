import assert from 'node:assert/strict'
import { type Attempt, isSigned, type SignedAttempt } from './anchor-attempt.ts'
import type { AnchorStore } from './anchor-store.ts'
import { buildAnchorTransaction, type Method, type Seal } from './anchor-transaction.ts'
import { checkAnchorTransaction } from './check-anchor-transaction.ts'
import { appendPayload } from './payload-file.ts'

export interface AnchorSigner {
  method: Method
  /** 32 bytes; internalKey is its x-only public key. */
  secretKey: Uint8Array
  internalKey: Uint8Array
  /** Where payloads are kept beside the key. */
  payloadFile: string
}

/**
 * The attempt with its final bytes. In this order: the plan is a row already, the payload is on the disk, signed,
 * checked by the other library, and kept; whatever is lost before that was never sent.
 */
export function signAnchor(
  store: AnchorStore,
  signer: AnchorSigner,
  seal: Seal,
  attempt: Attempt,
): SignedAttempt {
  if (isSigned(attempt)) return attempt
  const { method, secretKey, internalKey, payloadFile } = signer
  const { id, payload, topUp, feeSats } = attempt
  appendPayload(payloadFile, payload)
  const { txid, raw } = buildAnchorTransaction({ method, secretKey, seal, topUp, payload, feeSats })
  const { outputSats } = checkAnchorTransaction(raw, { method, internalKey, spends: seal, topUp, payload })
  assert.equal(outputSats, attempt.outputSats)
  return store.keepBytes(id, { txid, raw })
}
