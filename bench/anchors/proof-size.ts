import assert from 'node:assert/strict'
import { parseHeader } from '../../anchor/block-header.ts'
import { checkHeaderChain } from '../../anchor/header-chain.ts'
import { parseOts } from '../../anchor/ots/parse-ots.ts'
import { verifyOts } from '../../anchor/ots/verify-ots.ts'
import { receiptId } from '../../compute/work/receipt.ts'
import { exportOts } from '../../src/proof/ots.ts'
import { encodeProof } from '../../src/proof/proof.ts'
import { verifyProof } from '../../src/proof/verify-proof.ts'
import { makeProof } from '../../test/src/proof/synthetic-proof.ts'
import { type Row, rowOf } from '../row.ts'
import { MILLION } from '../synthetic-million.ts'

const MAX_PROOF_BYTES = 2_000
const MAX_OTS_BYTES = 1_600

export async function* proofSize(): AsyncGenerator<Row> {
  const { proof, headers } = makeProof(MILLION)
  const bytes = encodeProof(proof)
  const { headerAt } = checkHeaderChain(headers, 'regtest')
  assert((await verifyProof(bytes, { headerAt })).existed)
  yield rowOf({
    name: 'proof of one receipt among a million, 3000 transactions in its block',
    value: bytes.length,
    unit: 'bytes',
    bar: { on: 'value', is: '≤', bound: MAX_PROOF_BYTES },
  })

  const ots = exportOts(proof)
  const { merkleRoot } = parseHeader(proof.header)
  const results = verifyOts(parseOts(ots), receiptId(proof.receipt), () => merkleRoot)
  assert.deepEqual(
    results.map(({ result }) => result),
    ['confirmed'],
  )
  yield rowOf({
    name: 'the same as .ots',
    value: ots.length,
    unit: 'bytes',
    bar: { on: 'value', is: '≤', bound: MAX_OTS_BYTES },
  })
}
