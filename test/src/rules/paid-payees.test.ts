import { expect, test } from 'vitest'
import { paidPayees } from '../../../src/rules/paid-payees.ts'

const script = (byte: number) => new Uint8Array(34).fill(byte)
const [ANN, BEN, CHANGE] = [script(1), script(2), script(9)]
const payees = [
  { script: ANN, sats: 5n },
  { script: BEN, sats: 7n },
  { script: ANN, sats: 5n },
  { script: null, sats: 5n },
]

test.each([
  ['nobody is paid by nothing', [], []],
  [
    'in order',
    [
      [ANN, 5n],
      [BEN, 7n],
      [ANN, 5n],
      [CHANGE, 1n],
    ],
    [0, 1, 2],
  ],
  [
    'at any place',
    [
      [CHANGE, 1n],
      [ANN, 5n],
      [ANN, 5n],
      [BEN, 7n],
    ],
    [0, 1, 2],
  ],
  [
    'an output pays one of two alike',
    [
      [CHANGE, 1n],
      [ANN, 5n],
    ],
    [0],
  ],
  [
    'another amount is no payment, nor is the sum',
    [
      [ANN, 10n],
      [BEN, 6n],
    ],
    [],
  ],
  [
    'another script is none',
    [
      [BEN, 5n],
      [ANN, 7n],
    ],
    [],
  ],
] as const)('%s', (_what, outputs, paid) => {
  const outs = outputs.map(([to, value]) => ({ script: to, value }))
  expect(paidPayees(outs, payees)).toEqual(paid)
})
