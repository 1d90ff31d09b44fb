import { expect, test } from 'vitest'
import { earnedOf, epochSums } from '../../../src/rules/epoch-sums.ts'
import { AUDIT, NO_MODEL } from '../../../src/rules/maturing.ts'

const shares = {
  compute: [
    { worker: 'a', subnet: 'digits', model: 'm', msat: 5n },
    { worker: 'b', subnet: 'words', model: 'n', msat: 7n },
  ],
  audit: [{ auditor: 'a', msat: 2n }],
  receipts: [],
  returnedMsat: 3n,
}
const fee = {
  receipt: 'r',
  requester: 'alice',
  subnet: 'digits',
  model: 'm',
  worker: 'a',
  msat: 40n,
  shareMsat: 10n,
}

test('an epoch’s sums are its shares, the whole of its fees, and what went back with what was never in force', () => {
  expect(epochSums(shares, [fee, { ...fee, msat: 1n, shareMsat: 0n }], 100n)).toEqual({
    computeMsat: 12n,
    auditMsat: 2n,
    feesMsat: 51n,
    returnedMsat: 103n,
  })
})

test('who audited earns beside who computed, under no subnet’s name', () => {
  expect(earnedOf(shares)).toEqual([
    ...shares.compute,
    { worker: 'a', subnet: AUDIT, model: NO_MODEL, msat: 2n },
  ])
})
