import { beforeAll, describe, expect, test } from 'vitest'
import { encodePayload, opReturnScript, sealScript } from '../../../anchor/commitment.ts'
import { publicKeyOf } from '../../../compute/work/worker-key.ts'
import type { BreakCode } from '../../../src/audit/anchor-chain-report.ts'
import { checkAnchorChain, lastSealOf } from '../../../src/audit/check-anchor-chain.ts'
import { ORIGIN } from '../log/log-identity.ts'
import { atOne, type Chain, makeChain, type Plan, SECRET_KEY, withAnchor } from './synthetic-chain.ts'

let honest: Chain
beforeAll(async () => {
  honest = await makeChain()
})

const OTHER_SCRIPT = new Uint8Array(34).fill(1)
const OTHER_PAYLOAD = encodePayload({ index: 1, origin: ORIGIN, size: 1, root: new Uint8Array(32) })
describe('a lying transaction of anchor 1 breaks the chain there', () => {
  test.each<[BreakCode, Plan]>([
    ['wrong_spender', { alter: atOne(({ ins: [seal] }) => Object.assign(seal ?? {}, { index: 9 })) }],
    ['wrong_spender', { alter: atOne(({ ins: [seal] }) => seal?.hash.fill(7)) }],
    [
      'input_unexpected',
      { alter: atOne((t) => [1, 2].map((i) => t.addInput(new Uint8Array(32).fill(i), 0))) },
    ],
    ['op_return_missing', { alter: atOne((t) => t.outs.pop()) }],
    ['op_return_double', { alter: atOne((t) => t.addOutput(opReturnScript(OTHER_PAYLOAD), 0n)) }],
    ['op_return_mismatch', { alter: atOne((t) => t.outs[1]?.script.set(opReturnScript(OTHER_PAYLOAD))) }],
    ['op_return_mismatch', { alter: atOne((t) => Object.assign(t.outs[1] ?? {}, { value: 1n })) }],
    ['output_unexpected', { alter: atOne((t) => t.addOutput(OTHER_SCRIPT, 1n)) }],
    [
      'tweak_mismatch',
      { alter: atOne((t) => t.outs[0]?.script.set(sealScript(publicKeyOf(SECRET_KEY), OTHER_PAYLOAD))) },
    ],
    [
      'op_return_unexpected',
      { method: 'taproot', alter: atOne((t) => t.addOutput(opReturnScript(OTHER_PAYLOAD), 0n)) },
    ],
    [
      'tweak_mismatch',
      {
        method: 'taproot',
        alter: atOne((t) => t.outs[0]?.script.set(sealScript(publicKeyOf(SECRET_KEY), null))),
      },
    ],
  ])('%s', async (code, plan) => {
    const { file, reader } = await makeChain(plan)
    const report = checkAnchorChain(file, reader)
    expect(report).toMatchObject({ ok: false, complete: false, break: { code, anchor: 1 } })
    // One lie, one failing check: the chain goes on from the transaction as it is.
    const failed = report.checks.filter(({ ok }) => ok === false)
    expect(failed.map((one) => one.break)).toEqual([report.break])
  })

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['cut short', (bytes) => bytes.subarray(1)],
    [
      'with its witnesses',
      (bytes) =>
        Buffer.concat([
          bytes.subarray(0, 4),
          Buffer.of(0, 1),
          bytes.subarray(4, -4),
          Buffer.of(1, 1, 9),
          bytes.subarray(-4),
        ]),
    ],
  ])('transaction_malformed: %s', (_name, change) => {
    const lying = withAnchor(honest.file, 1, {
      transaction: change(honest.file.anchors[1]?.transaction ?? new Uint8Array()),
    })
    const report = checkAnchorChain(lying, honest.reader)
    expect(report.break).toMatchObject({ code: 'transaction_malformed', anchor: 1 })
  })
})

test('a last transaction that cannot be read leaves no seal to ask for', () => {
  const lying = withAnchor(honest.file, 2, { transaction: new Uint8Array(70) })
  expect(lastSealOf(lying)).toBeNull()
  expect(checkAnchorChain(lying, honest.reader)).toMatchObject({ seal: null, break: { anchor: 2 } })
})
