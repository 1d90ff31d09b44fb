import { expect, test } from 'vitest'
import { checkHeaderChain } from '../../../anchor/header-chain.ts'
import { exportOts } from '../../../src/proof/ots.ts'
import { encodeProof, parseProof } from '../../../src/proof/proof.ts'
import { verifyProof } from '../../../src/proof/verify-proof.ts'
import vectors from '../../vectors/proof.json' with { type: 'json' }

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const fromHex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))

test.each(vectors.proofs)(
  'the $method vector verifies, says what it did, and is written as it is read',
  async (vector) => {
    const bytes = fromHex(vector.proof)
    const chain = checkHeaderChain(fromHex(vector.headers), 'regtest')
    const report = await verifyProof(bytes, { headerAt: chain.headerAt })
    expect(report).toMatchObject({ existed: true, ...vector.report })
    expect(hex(encodeProof(parseProof(bytes)))).toBe(vector.proof)
    if (vector.ots !== null) expect(hex(exportOts(parseProof(bytes)))).toBe(vector.ots)
  },
)
