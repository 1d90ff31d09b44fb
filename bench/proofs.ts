/** Proofs, checked as an auditor does. */
import assert from 'node:assert/strict'
import { createPublicKey, sign, verify } from 'node:crypto'
import { signSchnorr, verifySchnorr, xOnlyPointAddTweak, xOnlyPointFromScalar } from '@bitcoinerlab/secp256k1'
import { checkHeaderChain } from '../anchor/header-chain.ts'
import { noteSigner } from '../src/log/note-signer.ts'
import { encodeProof } from '../src/proof/proof.ts'
import { verifyProof } from '../src/proof/verify-proof.ts'
import { ANCHOR_SECRET_KEY, fill, INTERNAL_KEY, makeProof } from '../test/src/proof/synthetic-proof.ts'
import { sideBySide } from './measure.ts'
import { type Row, rowOf } from './row.ts'
import { MILLION } from './synthetic-million.ts'

const PROOFS = 100

export async function* rows(): AsyncGenerator<Row> {
  for (const method of ['dual', 'taproot'] as const) {
    const { proof, headers } = makeProof({ ...MILLION, method })
    const bytes = encodeProof(proof)
    const { headerAt } = checkHeaderChain(headers, 'regtest')
    const reader = { headerAt, logKey: proof.logKey, internalKey: INTERNAL_KEY }
    assert((await verifyProof(bytes, reader)).existed)
    assert(!(await verifyProof(bytes.with(bytes.length - 1, 0xff), reader)).ok)
    const { oursSeconds, baselineSeconds } = await sideBySide(async () => {
      for (let i = 0; i < PROOFS; i += 1) await verifyProof(bytes, reader)
    }, bareCryptography(PROOFS))
    yield rowOf({
      name: `${method} proofs checked, beside the cryptography in them`,
      value: PROOFS / oursSeconds,
      unit: 'proofs/s',
      baseline: PROOFS / baselineSeconds,
    })
  }
}

/** Of one proof: a BIP-340 and an Ed25519 signature verified, a taproot key tweaked. */
function bareCryptography(times: number): () => void {
  const message = fill('message')
  const workerKey = xOnlyPointFromScalar(ANCHOR_SECRET_KEY)
  const workerSignature = signSchnorr(message, ANCHOR_SECRET_KEY)
  const { privateKey } = noteSigner('bench', fill('seed'))
  const logKey = createPublicKey(privateKey)
  const logSignature = sign(null, message, privateKey)
  const once = () =>
    verifySchnorr(message, workerKey, workerSignature) &&
    verify(null, message, logKey, logSignature) &&
    xOnlyPointAddTweak(INTERNAL_KEY, message) !== null
  assert(once())
  return () => {
    for (let i = 0; i < times; i += 1) once()
  }
}
