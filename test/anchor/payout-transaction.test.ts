import { isPrivate } from '@bitcoinerlab/secp256k1'
import { utils } from '@scure/btc-signer'
import { Transaction } from 'bitcoinjs-lib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAddress } from '../../anchor/address.ts'
import { checkPayoutTransaction, PayoutCheckError } from '../../anchor/check-payout-transaction.ts'
import { opReturnScript, sealScript } from '../../anchor/commitment.ts'
import { payoutVsize } from '../../anchor/payout-transaction.ts'
import { signedPayment } from './signed-payment.ts'

const refusal = (code: string) => expect.objectContaining({ name: expect.stringMatching(/^Payout/), code })
const scripts = [
  '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
  '3P14159f73E4gFr7JterCCQh9QjiTjiZrG',
  'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
  'bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3',
  'bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr',
].map((text) => parseAddress(text, 'mainnet').script)
const [p2pkh, , p2wpkh] = scripts as [Uint8Array, Uint8Array, Uint8Array]
const DUST_SATS = [546n, 540n, 294n, 330n, 330n]

const secretKey = new Uint8Array(32).fill(9)
const internalKey = utils.pubSchnorr(secretKey)
const changeScript = sealScript(internalKey, null)
const coin = (number: number, valueSats: bigint) => ({
  txid: number.toString(16).padStart(64, '0'),
  vout: number % 3,
  valueSats,
  keyIndex: 0,
})
const inputs = [coin(2, 40_000n), coin(1, 60_000n)]
const outputs = [
  { script: p2wpkh, valueSats: 20_000n },
  { script: p2pkh, valueSats: 30_000n },
]
const plan = { secretKey, inputs, outputs, changeScript, feeSats: 1_000n }
const intended = {
  keyAt: () => ({ internalKey, secretKey: null }),
  inputs,
  outputs,
  changeScript,
  feeSats: 1_000n,
}

describe('buildPayoutTransaction', () => {
  it('agrees with bitcoinjs on coins, payees, change, size and every signature', () => {
    const cases = fc.record({
      secretKey: fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((key) => isPrivate(key)),
      coinCount: fc.integer({ min: 1, max: 4 }),
      paid: fc.array(
        fc.record({ script: fc.constantFrom(...scripts), valueSats: fc.bigInt(546n, 2n ** 40n) }),
        {
          maxLength: 300,
        },
      ),
      feeSats: fc.bigInt(0n, 10n ** 6n),
      changeSats: fc.bigInt(546n, 2n ** 40n),
      changeScript: fc.constantFrom(...scripts),
    })
    fc.assert(
      fc.property(cases, ({ secretKey, coinCount, paid, feeSats, changeSats, changeScript }) => {
        const needSats = paid.reduce((sum, { valueSats }) => sum + valueSats, feeSats + changeSats)
        const inputs = Array.from({ length: coinCount }, (_, i) => coin(9 - i, i === 0 ? needSats : 0n))
        const payout = signedPayment({ secretKey, inputs, outputs: paid, changeScript, feeSats })
        const keyAt = () => ({ internalKey: utils.pubSchnorr(secretKey), secretKey: null })
        const checked = checkPayoutTransaction(payout.raw, {
          ...{ keyAt, inputs, outputs: paid, changeScript, feeSats },
        })
        const { raw, ...rest } = payout
        expect(checked).toEqual(rest)
        expect(rest).toMatchObject({ changeSats, changeVout: paid.length })
        expect(Transaction.fromBuffer(raw).virtualSize()).toBe(rest.vsize)
        const paidScripts = paid.map(({ script }) => script)
        expect(payoutVsize(coinCount, paidScripts, changeScript)).toBe(rest.vsize)
      }),
      { numRuns: 12 },
    )
  })

  it.each([
    [252, 1],
    [253, 2],
  ])('plans the size of %i inputs right, where the count grows to three bytes', (count) => {
    const many = Array.from({ length: count }, (_, i) => coin(i + 1, 1_000n))
    expect(signedPayment({ ...plan, inputs: many, outputs: [] }).vsize).toBe(
      payoutVsize(count, [], changeScript),
    )
  })

  it('keeps the order of inputs and outputs, and puts the change last', () => {
    const { raw, changeVout, changeSats } = signedPayment(plan)
    const { ins, outs } = Transaction.fromBuffer(raw)
    expect(ins.map(({ index }) => index)).toEqual([2, 1])
    expect(outs.map(({ value }) => value)).toEqual([20_000n, 30_000n, 49_000n])
    expect([changeVout, changeSats]).toEqual([2, 49_000n])
  })

  it.each(scripts.map((script, i) => ({ script, dustSats: DUST_SATS[i] ?? 0n })))(
    'pays an output of $dustSats sat and refuses one sat less',
    ({ script, dustSats }) => {
      const paying = (valueSats: bigint) => ({ ...plan, outputs: [{ script, valueSats }] })
      expect(signedPayment(paying(dustSats)).changeVout).toBe(1)
      expect(() => signedPayment(paying(dustSats - 1n))).toThrow(refusal('output_dust'))
    },
  )

  it('leaves 330 sat of change, and refuses to leave 329 or to overspend', () => {
    expect(signedPayment({ ...plan, feeSats: 49_670n }).changeSats).toBe(330n)
    for (const feeSats of [49_671n, 50_000n, 100_000n]) {
      expect(() => signedPayment({ ...plan, feeSats })).toThrow(refusal('funds_short'))
    }
  })

  it.each([
    ['a data output', opReturnScript(new Uint8Array(40))],
    ['an empty script', new Uint8Array()],
    ['a witness version of the future', new Uint8Array([0x52, 2, 1, 2])],
    ['a taproot key off the curve', new Uint8Array([0x51, 32, ...new Uint8Array(32).fill(3)])],
  ])('refuses to pay %s, or to send the change there', (_, script) => {
    const wrong = { ...plan, outputs: [{ script, valueSats: 5_000n }] }
    expect(() => signedPayment(wrong)).toThrow(refusal('script_unpayable'))
    expect(() => signedPayment({ ...plan, changeScript: script })).toThrow(refusal('script_unpayable'))
  })

  it('refuses a coin that stands in the inputs twice', () => {
    const twice = { ...plan, inputs: [...inputs, coin(2, 40_000n)] }
    expect(() => signedPayment(twice)).toThrow(refusal('input_repeated'))
  })

  it('refuses what nodes would not relay for its size', () => {
    const many = Array.from({ length: 3_300 }, () => ({ script: p2wpkh, valueSats: 294n }))
    const rich = { ...plan, inputs: [coin(1, 10_000_000n)], outputs: many }
    expect(() => signedPayment(rich)).toThrow(refusal('transaction_too_large'))
  })

  it('asserts on no inputs and on a negative fee', () => {
    expect(() => signedPayment({ ...plan, inputs: [] })).toThrow(/pinned input/)
    expect(() => signedPayment({ ...plan, feeSats: -1n })).toThrow(/fee/)
  })
})

describe('checkPayoutTransaction', () => {
  const { raw, txid } = signedPayment(plan)
  const [first, second] = outputs as [(typeof outputs)[0], (typeof outputs)[0]]

  function changed(change: (transaction: Transaction) => unknown): Uint8Array {
    const transaction = Transaction.fromBuffer(raw)
    change(transaction)
    return transaction.toBuffer()
  }

  it.each([
    ['another coin', 'input_mismatch', raw, { inputs: [coin(2, 40_000n), coin(4, 60_000n)] }],
    [
      'another output of the same transaction',
      'input_mismatch',
      raw,
      { inputs: [{ ...coin(2, 40_000n), vout: 0 }, coin(1, 60_000n)] },
    ],
    ['coins in another order', 'input_mismatch', raw, { inputs: inputs.toReversed() }],
    ['a coin too many', 'input_mismatch', raw, { inputs: inputs.slice(0, 1) }],
    ['a coin missing', 'input_mismatch', raw, { inputs: [...inputs, coin(5, 1n)] }],
    [
      'an input that cannot be replaced',
      'input_mismatch',
      changed((tx) => Object.assign(tx.ins[0] ?? {}, { sequence: 0xffff_ffff })),
      {},
    ],
    [
      'an input with a script',
      'input_mismatch',
      changed((tx) => tx.setInputScript(0, Buffer.from([0x51]))),
      {},
    ],
    ['another payee', 'output_mismatch', raw, { outputs: [first, { ...second, script: p2wpkh }] }],
    ['another amount', 'output_mismatch', raw, { outputs: [first, { ...second, valueSats: 30_001n }] }],
    ['payees in another order', 'output_mismatch', raw, { outputs: [second, first] }],
    ['a payee missing', 'output_mismatch', raw, { outputs: [first] }],
    ['a payee too many', 'output_mismatch', raw, { outputs: [first, second, first] }],
    ['change to somebody else', 'change_mismatch', raw, { changeScript: p2wpkh }],
    ['a fee of one sat more', 'fee_mismatch', raw, { feeSats: 999n }],
    [
      'a coin worth more than was thought',
      'fee_mismatch',
      raw,
      { inputs: [coin(2, 40_001n), coin(1, 60_000n)] },
    ],
    [
      'amounts of two coins mixed up',
      'signature_invalid',
      raw,
      { inputs: [coin(2, 60_000n), coin(1, 40_000n)] },
    ],
    [
      "another key's signatures",
      'signature_invalid',
      raw,
      { keyAt: () => ({ internalKey: utils.pubSchnorr(secretKey.with(0, 1)), secretKey: null }) },
    ],
    ['no signature', 'signature_invalid', changed((tx) => tx.setWitness(1, [])), {}],
    ['another version', 'form_mismatch', changed((tx) => Object.assign(tx, { version: 1 })), {}],
    ['a lock time', 'form_mismatch', changed((tx) => Object.assign(tx, { locktime: 1 })), {}],
    ['a byte more', 'transaction_malformed', new Uint8Array([...raw, 0]), {}],
    ['a byte less', 'transaction_malformed', raw.slice(0, -1), {}],
  ] as const)('refuses %s', (_, code, bytes, difference) => {
    expect(() => checkPayoutTransaction(bytes, { ...intended, ...difference })).toThrow(refusal(code))
  })

  it('refuses a payout with any bit flipped', () => {
    expect(checkPayoutTransaction(raw, intended).txid).toBe(txid)
    for (const at of raw.keys()) {
      const flipped = raw.with(at, (raw[at] ?? 0) ^ 1)
      expect(() => checkPayoutTransaction(flipped, intended)).toThrow(PayoutCheckError)
    }
  })
})
