import { isPrivate } from '@bitcoinerlab/secp256k1'
import { utils } from '@scure/btc-signer'
import { Transaction } from 'bitcoinjs-lib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  anchorVsize,
  buildAnchorTransaction,
  type Method,
  type Seal,
  stripWitness,
  txidOf,
} from '../../anchor/anchor-transaction.ts'
import {
  AnchorCheckError,
  checkAnchorTransaction,
  readDualPayload,
} from '../../anchor/check-anchor-transaction.ts'
import { encodePayload, opReturnScript, sealScript } from '../../anchor/commitment.ts'
import { findBadSignature } from '../../anchor/key-path-signature.ts'

const METHODS = ['dual', 'taproot'] as const
const secretKey = new Uint8Array(32).fill(7)
const internalKey = utils.pubSchnorr(secretKey)
const payload = encodePayload({ index: 1, origin: 'a.example/log', size: 9, root: new Uint8Array(32) })
const older = encodePayload({ index: 0, origin: 'a.example/log', size: 8, root: new Uint8Array(32) })
const seal: Seal = { txid: '11'.repeat(32), vout: 0, valueSats: 10_000n, payload: older }
const topUp = { txid: '22'.repeat(32), vout: 5, valueSats: 50_000n }
const plan = { method: 'dual' as Method, secretKey, seal, payload, feeSats: 500n }
const refusal = (code: string) => expect.objectContaining({ name: expect.stringMatching(/^Anchor/), code })

describe('buildAnchorTransaction', () => {
  it('agrees with bitcoinjs on txid, size, scripts and every signature, for any key', () => {
    const cases = fc.record({
      method: fc.constantFrom(...METHODS),
      secretKey: fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((key) => isPrivate(key)),
      refill: fc.boolean(),
      first: fc.boolean(),
      feeSats: fc.bigInt(0n, 9_670n),
    })
    fc.assert(
      fc.property(cases, ({ method, secretKey, refill, first, feeSats }) => {
        const spent = { ...seal, payload: first ? null : older }
        const anchor = buildAnchorTransaction({
          ...{ method, secretKey, payload, feeSats, seal: spent },
          ...(refill ? { topUp } : {}),
        })
        const key = utils.pubSchnorr(secretKey)
        const outputSats = spent.valueSats + (refill ? topUp.valueSats : 0n) - feeSats
        expect(anchor.seal).toEqual({ txid: anchor.txid, vout: 0, valueSats: outputSats, payload })
        const checked = checkAnchorTransaction(anchor.raw, {
          method,
          internalKey: key,
          spends: spent,
          payload,
        })
        expect(checked).toEqual({ txid: anchor.txid, outputSats, vsize: anchor.vsize })
        expect(anchor.vsize).toBe(anchorVsize(method, refill))

        const parsed = Transaction.fromBuffer(anchor.raw)
        const coins = [{ script: sealScript(key, spent.payload), valueSats: spent.valueSats }]
        if (refill) coins.push({ script: sealScript(key, null), valueSats: topUp.valueSats })
        expect(findBadSignature(parsed, coins)).toBe(-1)
        expect(parsed.ins.every((input) => input.sequence === 0xffff_fffd)).toBe(true)
      }),
      { numRuns: 12 },
    )
  })

  it.each([
    ['dual', false, 162],
    ['dual', true, 220],
    ['taproot', false, 111],
    ['taproot', true, 169],
  ] as const)('%s, top-up %s: %i vB', (method, hasTopUp, vsize) => {
    expect(anchorVsize(method, hasTopUp)).toBe(vsize)
  })

  it('leaves 330 sat in the seal, and refuses to leave 329', () => {
    const least = buildAnchorTransaction({ ...plan, feeSats: 9_670n })
    expect(least.seal.valueSats).toBe(330n)
    expect(() => buildAnchorTransaction({ ...plan, feeSats: 9_671n })).toThrow(refusal('seal_too_small'))
    expect(() => buildAnchorTransaction({ ...plan, feeSats: 20_000n })).toThrow(refusal('seal_too_small'))
  })

  it('refuses the seal as its own top-up, and asserts on a negative fee', () => {
    expect(() => buildAnchorTransaction({ ...plan, topUp: seal })).toThrow(refusal('top_up_is_seal'))
    expect(buildAnchorTransaction({ ...plan, topUp: { ...seal, vout: 1 } }).vsize).toBe(220)
    expect(() => buildAnchorTransaction({ ...plan, feeSats: -1n })).toThrow(/fee/)
  })

  it('signs anew with each call and keeps the txid', () => {
    const [one, two] = [buildAnchorTransaction(plan), buildAnchorTransaction(plan)]
    expect(one.txid).toBe(two.txid)
    expect(one.raw).not.toEqual(two.raw)
  })
})

describe('stripWitness, txidOf', () => {
  it('agree with bitcoinjs, with and without witnesses', () => {
    const { raw, txid } = buildAnchorTransaction(plan)
    const stripped = stripWitness(raw)
    const theirs = Transaction.fromBuffer(raw)
    theirs.stripWitnesses()
    expect(stripped).toEqual(new Uint8Array(theirs.toBuffer()))
    expect(stripped.length).toBe(145)
    expect(stripWitness(stripped)).toEqual(stripped)
    expect([txidOf(raw), txidOf(stripped)]).toEqual([txid, txid])
  })

  it('refuse a transaction cut short or followed by more', () => {
    const { raw } = buildAnchorTransaction(plan)
    for (const wrong of [raw.slice(0, -1), new Uint8Array([...raw, 0]), new Uint8Array()]) {
      expect(() => stripWitness(wrong)).toThrow(refusal('transaction_malformed'))
      expect(() => txidOf(wrong)).toThrow(refusal('transaction_malformed'))
    }
  })
})

describe('checkAnchorTransaction', () => {
  const expected = { method: 'dual' as Method, internalKey, spends: seal, payload }
  const dual = buildAnchorTransaction({ ...plan, topUp })
  const taproot = buildAnchorTransaction({ ...plan, method: 'taproot' })
  const foreignKey = utils.pubSchnorr(secretKey.with(0, 1))

  /** The dual anchor, changed by hand with bitcoinjs. */
  function changed(change: (transaction: Transaction) => void): Uint8Array {
    const transaction = Transaction.fromBuffer(dual.raw)
    change(transaction)
    return transaction.toBuffer()
  }

  it('takes an anchor without its witnesses, as proofs hold it', () => {
    const { txid, outputSats } = checkAnchorTransaction(stripWitness(dual.raw), expected)
    expect([txid, outputSats]).toEqual([dual.txid, dual.seal.valueSats])
  })

  it('leaves the spent coin alone when none is expected', () => {
    const { txid } = checkAnchorTransaction(dual.raw, { method: 'dual', internalKey, payload })
    expect(txid).toBe(dual.txid)
  })

  it.each([
    ['another top-up', 'input_unexpected', dual.raw, { topUp: { ...topUp, vout: 6 } }],
    ['a top-up where none was planned', 'input_unexpected', dual.raw, { topUp: null }],
    ['no top-up where one was planned', 'input_unexpected', changed((tx) => tx.ins.pop()), { topUp }],
    ['another coin spent', 'wrong_spender', dual.raw, { spends: { ...seal, txid: '33'.repeat(32) } }],
    ['another output spent', 'wrong_spender', dual.raw, { spends: { ...seal, vout: 1 } }],
    ['the seal as second input', 'wrong_spender', changed((tx) => tx.ins.reverse()), {}],
    ['no inputs', 'wrong_spender', changed((tx) => tx.ins.splice(0)), {}],
    ['three inputs', 'input_unexpected', changed((tx) => tx.addInput(Buffer.alloc(32, 4), 0)), {}],
    ['no OP_RETURN', 'op_return_missing', taproot.raw, {}],
    ['two OP_RETURNs', 'op_return_double', changed((tx) => tx.addOutput(opReturnScript(older), 0n)), {}],
    [
      'the OP_RETURN twice',
      'op_return_double',
      changed((tx) => tx.addOutput(opReturnScript(payload), 0n)),
      {},
    ],
    ['another payload expected', 'op_return_mismatch', dual.raw, { payload: older }],
    [
      'sats burnt in the OP_RETURN',
      'op_return_mismatch',
      changed((tx) => Object.assign(tx.outs[1] ?? {}, { value: 1n })),
      {},
    ],
    ['an OP_RETURN under taproot', 'op_return_unexpected', dual.raw, { method: 'taproot' }],
    [
      'another output',
      'output_unexpected',
      changed((tx) => tx.addOutput(sealScript(internalKey, null), 400n)),
      {},
    ],
    [
      'another output under taproot',
      'output_unexpected',
      changed((tx) => Object.assign(tx.outs[1] ?? {}, { script: tx.outs[0]?.script })),
      { method: 'taproot' },
    ],
    ['outputs in the other order', 'tweak_mismatch', changed((tx) => tx.outs.reverse()), {}],
    ['another internal key', 'tweak_mismatch', dual.raw, { internalKey: foreignKey }],
    ['no key at all', 'tweak_mismatch', dual.raw, { internalKey: new Uint8Array(32).fill(3) }],
    ['another payload in the tweak', 'tweak_mismatch', taproot.raw, { method: 'taproot', payload: older }],
    [
      'no payload in the tweak',
      'tweak_mismatch',
      changed((tx) => Object.assign(tx.outs[0] ?? {}, { script: sealScript(internalKey, null) })),
      {},
    ],
    ['no bytes', 'transaction_malformed', new Uint8Array(), {}],
    ['a byte missing', 'transaction_malformed', dual.raw.slice(0, -1), {}],
    ['a byte more', 'transaction_malformed', new Uint8Array([...dual.raw, 0]), {}],
    ['400,001 bytes', 'transaction_malformed', transactionOfSize(400_001), {}],
    ['400,000 bytes of something else', 'wrong_spender', transactionOfSize(400_000), {}],
    ['64 non-witness bytes', 'transaction_malformed', transactionOfSize(64), {}],
    ['65 non-witness bytes and no payload', 'wrong_spender', transactionOfSize(65), {}],
  ] as const)('refuses %s', (_, code, raw, difference) => {
    expect(() => checkAnchorTransaction(raw, { ...expected, ...difference })).toThrow(refusal(code))
  })

  it('refuses a length in a longer form than needed', () => {
    const at = stripWitness(dual.raw).indexOf(2, 4) // the count of inputs
    const bytes = stripWitness(dual.raw)
    const longer = new Uint8Array([...bytes.slice(0, at), 0xfd, 2, 0, ...bytes.slice(at + 1)])
    expect(() => checkAnchorTransaction(longer, expected)).toThrow(refusal('transaction_malformed'))
  })

  it.each([
    ['dual', dual],
    ['taproot', taproot],
  ] as const)('%s: any flipped bit is refused, or shows in txid or signatures', (method, { raw, txid }) => {
    const coins = [{ script: sealScript(internalKey, older), valueSats: seal.valueSats }]
    if (method === 'dual') coins.push({ script: sealScript(internalKey, null), valueSats: topUp.valueSats })
    const survives = [...raw.keys()].filter((at) => {
      const flipped = raw.with(at, (raw[at] ?? 0) ^ 1)
      try {
        if (checkAnchorTransaction(flipped, { ...expected, method }).txid !== txid) return false
        return findBadSignature(Transaction.fromBuffer(flipped), coins) === -1
      } catch (error) {
        if (error instanceof AnchorCheckError) return false
        throw error
      }
    })
    expect(survives).toEqual([])
  })
})

describe('readDualPayload', () => {
  it('reads the payload, with or without witnesses', () => {
    const { raw } = buildAnchorTransaction(plan)
    expect([readDualPayload(raw), readDualPayload(stripWitness(raw))]).toEqual([payload, payload])
  })

  it('refuses an anchor with no OP_RETURN, with two, and with anything else in it', () => {
    const { raw } = buildAnchorTransaction(plan)
    const withData = (...scripts: string[]) => {
      const transaction = Transaction.fromBuffer(raw)
      transaction.outs.splice(1)
      for (const script of scripts) transaction.addOutput(Buffer.from(script, 'hex'), 0n)
      return transaction.toBuffer()
    }
    const script = Buffer.from(opReturnScript(payload)).toString('hex')
    expect(readDualPayload(withData(script))).toEqual(payload)
    expect(() => readDualPayload(withData())).toThrow(refusal('op_return_missing'))
    expect(() => readDualPayload(withData(script, script))).toThrow(refusal('op_return_double'))
    for (const wrong of [
      '6a',
      '6a0141',
      `${script}51`,
      `6a4c28${script.slice(4)}`,
      script.replace('41535931', '41535932'),
    ]) {
      expect(() => readDualPayload(withData(wrong))).toThrow(refusal('op_return_mismatch'))
    }
    expect(() => readDualPayload(raw.slice(1))).toThrow(refusal('transaction_malformed'))
  })
})

describe('findBadSignature', () => {
  const { raw } = buildAnchorTransaction({ ...plan, topUp })
  const coins = [
    { script: sealScript(internalKey, older), valueSats: seal.valueSats },
    { script: sealScript(internalKey, null), valueSats: topUp.valueSats },
  ]

  it.each([
    ['another amount', 0, coins.map((coin) => ({ ...coin, valueSats: coin.valueSats + 1n }))],
    ['another coin first', 0, coins.toReversed()],
  ])('finds a signature over %s', (_, index, wrong) => {
    expect(findBadSignature(Transaction.fromBuffer(raw), wrong)).toBe(index)
  })

  it.each([
    ['no witness', []],
    ['a signature with a hash type', [new Uint8Array(65)]],
    ['an annex', [...(Transaction.fromBuffer(raw).ins[1]?.witness ?? []), new Uint8Array([0x50])]],
  ])('finds %s', (_, witness) => {
    const transaction = Transaction.fromBuffer(raw)
    transaction.setWitness(1, witness)
    expect(findBadSignature(transaction, coins)).toBe(1)
  })
})

/** One input, one output with a script that makes up the size; no witnesses. */
function transactionOfSize(bytes: number): Uint8Array {
  const transaction = new Transaction()
  transaction.addInput(Buffer.alloc(32, 9), 0)
  const lengthBytes = bytes < 300 ? 1 : 5
  transaction.addOutput(Buffer.alloc(bytes - 59 - lengthBytes, 0x51), 1000n)
  return transaction.toBuffer()
}
