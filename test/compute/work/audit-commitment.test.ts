import { expect, test } from 'vitest'
import type { AuditCommitment } from '../../../compute/work/audit-commitment.ts'
import {
  auditCommitment,
  checkCommitmentsSignature,
  signCommitments,
} from '../../../compute/work/audit-commitment.ts'
import { bundleDigest } from '../../../compute/work/tensor-bundle.ts'
import { fromHex, readVector, toHex } from './read-vector.ts'

const { secretKey, publicKey, origin, audit } = readVector<{
  secretKey: string
  publicKey: string
  origin: string
  audit: { salt: string; outputBundle: string; commitments: [AuditCommitment]; signature: string }
}>('request')
const { commitments } = audit
const signed = { auditor: fromHex(publicKey), commitments, signature: fromHex(audit.signature) }
const opened = {
  auditor: fromHex(publicKey),
  receipt: commitments[0].receipt,
  salt: fromHex(audit.salt),
  outputDigest: bundleDigest(fromHex(audit.outputBundle)),
}

test('the vector verifies', () => {
  expect(toHex(auditCommitment(opened))).toBe(toHex(commitments[0].commitment))
  expect(checkCommitmentsSignature(signed, origin)).toBe(true)
})

test.each(['auditor', 'receipt', 'salt', 'outputDigest'] as const)(
  'another %s is another commitment',
  (part) => {
    const other = auditCommitment({ ...opened, [part]: new Uint8Array(32).fill(9) })
    expect(toHex(other)).not.toBe(toHex(auditCommitment(opened)))
  },
)

test('commitments are signed by the auditor', () => {
  const signature = signCommitments(commitments, origin, fromHex(secretKey))
  expect(checkCommitmentsSignature({ ...signed, signature }, origin)).toBe(true)
})

test('a signature does not count in another log, for another list or another auditor', () => {
  expect(checkCommitmentsSignature(signed, `${origin}/2`)).toBe(false)
  expect(checkCommitmentsSignature({ ...signed, commitments: [] }, origin)).toBe(false)
  const nextRound = commitments.map((commitment) => ({ ...commitment, round: commitment.round + 1 }))
  expect(checkCommitmentsSignature({ ...signed, commitments: nextRound }, origin)).toBe(false)
  expect(checkCommitmentsSignature({ ...signed, auditor: new Uint8Array(32).fill(2) }, origin)).toBe(false)
})
