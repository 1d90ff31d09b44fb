import { Transaction, utils } from '@scure/btc-signer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Node } from '../../anchor/node.ts'
import type { Payer } from '../../anchor/payer.ts'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { mempool, mineEmpty, youngNode } from './anchor-site.ts'
import { depositKeyAt, onlyPayout, openTreasury, payees, paymentOf, type Treasury } from './payer-treasury.ts'

let bitcoind: RegtestNode
let treasury: Treasury
let payer: Payer
beforeAll(async () => {
  bitcoind = await startBitcoind()
  treasury = await openTreasury(bitcoind, 40_000n, 30_000n)
  payer = treasury.open({ external: true })
  await payer.pin('a', 50_000n)
  await payer.prepare('a', payees(30_000n, 20_000n))
})
afterAll(async () => {
  treasury?.[Symbol.dispose]()
  await bitcoind?.stop()
})

function exported(): Transaction {
  const psbt = payer.unsignedPsbt('a')
  if (psbt === null) throw new Error('nothing to sign')
  return Transaction.fromPSBT(psbt)
}

function signed(transaction: Transaction, secretKey = treasury.secretKey): Uint8Array {
  transaction.sign(secretKey)
  return transaction.toPSBT(0)
}

/** The same payout but for what `change` says of its inputs and outputs. */
function rebuilt(
  change: (parts: { inputs: object[]; outputs: { script: Uint8Array; amount: bigint }[] }) => void,
  options: { version?: number; lockTime?: number } = {},
): Transaction {
  const from = exported()
  const inputs = Array.from({ length: from.inputsLength }, (_, i) => ({ ...from.getInput(i) }))
  const outputs = Array.from({ length: from.outputsLength }, (_, i) => {
    const { script, amount } = from.getOutput(i)
    if (script === undefined || amount === undefined) throw new Error('a whole output')
    return { script, amount }
  })
  change({ inputs, outputs })
  const transaction = new Transaction(options)
  for (const input of inputs) transaction.addInput(input)
  for (const output of outputs) transaction.addOutput(output)
  return transaction
}

describe('a payout that somebody else signs', () => {
  it('is exported with its coins, their key and no signature', () => {
    const { inputs } = onlyPayout(payer)
    const psbt = exported()
    expect(psbt.id).toBe(onlyPayout(payer).payment?.txid)
    for (const [i, { txid, valueSats }] of inputs.entries()) {
      const input = psbt.getInput(i)
      expect(Buffer.from(input.txid ?? []).toString('hex')).toBe(txid)
      expect(input.witnessUtxo?.amount).toBe(valueSats)
      expect(input.tapInternalKey).toEqual(utils.pubSchnorr(treasury.secretKey))
      expect(input.tapKeySig).toBeUndefined()
    }
  })

  it('says so while it waits, and sends nothing', async () => {
    await payer.advance()
    expect(onlyPayout(payer)).toMatchObject({
      state: 'prepared',
      trouble: expect.stringContaining('signature'),
    })
    expect(await mempool(bitcoind)).toEqual([])
  })

  it.each<[string, string, () => Uint8Array]>([
    ['what is no PSBT', 'psbt_malformed', () => new Uint8Array(100)],
    ['more bytes than any payout has', 'psbt_malformed', () => new Uint8Array(1_000_001)],
    ['one without signatures', 'psbt_unsigned', () => exported().toPSBT(0)],
    [
      'one with one signature of two',
      'psbt_unsigned',
      () => {
        const psbt = exported()
        psbt.signIdx(treasury.secretKey, 0)
        return psbt.toPSBT(0)
      },
    ],
    [
      'another payee',
      'output_mismatch',
      () =>
        signed(
          rebuilt(({ outputs }) => {
            const [first, second] = outputs
            if (first && second) second.script = first.script
          }),
        ),
    ],
    [
      'another amount',
      'output_mismatch',
      () =>
        signed(
          rebuilt(({ outputs }) => {
            if (outputs[0]) outputs[0].amount -= 1n
          }),
        ),
    ],
    [
      'a smaller change, so a higher fee',
      'fee_mismatch',
      () =>
        signed(
          rebuilt(({ outputs }) => {
            if (outputs[2]) outputs[2].amount -= 1n
          }),
        ),
    ],
    [
      'another change address',
      'change_mismatch',
      () =>
        signed(
          rebuilt(({ outputs }) => {
            if (outputs[0] && outputs[2]) outputs[2].script = outputs[0].script
          }),
        ),
    ],
    ['the coins in another order', 'input_mismatch', () => signed(rebuilt(({ inputs }) => inputs.reverse()))],
    [
      'another sequence',
      'input_mismatch',
      () => signed(rebuilt(({ inputs }) => Object.assign(inputs[0] ?? {}, { sequence: 0xffff_ffff }))),
    ],
    ['a lock time', 'form_mismatch', () => signed(rebuilt(() => undefined, { lockTime: 100 }))],
    [
      'other amounts of its coins',
      'signature_invalid',
      () =>
        signed(
          rebuilt(({ inputs }) => {
            for (const input of inputs) {
              const { witnessUtxo } = Object(input)
              Object.assign(input, { witnessUtxo: { ...witnessUtxo, amount: witnessUtxo.amount + 1n } })
            }
          }),
        ),
    ],
  ])('refuses %s, and keeps nothing', async (_, code, psbt) => {
    await expect(payer.importPsbt('a', psbt())).rejects.toMatchObject({ code })
    expect(onlyPayout(payer).payment?.raw).toBeNull()
    expect(await mempool(bitcoind)).toEqual([])
  })

  it('takes it back signed, sends it, and has nothing more to sign until it is bumped', async () => {
    const txid = await payer.importPsbt('a', signed(exported()))
    expect(payer.unsignedPsbt('a')).toBeNull()
    await expect(payer.importPsbt('a', new Uint8Array(1))).rejects.toMatchObject({ code: 'nothing_to_sign' })
    await payer.advance()
    expect(await mempool(bitcoind)).toEqual([txid])
    for (let block = 0; block < 7; block += 1) {
      await mineEmpty(bitcoind)
      await payer.advance()
    }
    expect(onlyPayout(payer)).toMatchObject({
      state: 'broadcast',
      trouble: expect.stringContaining('waits for its signature'),
      payment: { txid },
      attempts: [{}, { raw: null }],
    })
    const bumped = await payer.importPsbt('a', signed(exported()))
    await payer.advance()
    expect(await mempool(bitcoind)).toEqual([bumped])
    await bitcoind.mine(3)
    await payer.advance()
    expect(onlyPayout(payer)).toMatchObject({ state: 'settled', payment: { txid: bumped } })
  })
})

describe('a payout that its signer sends by itself', () => {
  /** What signers that don't hand back do with a PSBT. */
  async function sendElsewhere(psbt: Uint8Array | null, { secretKey }: Treasury): Promise<string> {
    if (psbt === null) throw new Error('nothing to sign')
    const transaction = Transaction.fromPSBT(psbt)
    transaction.sign(secretKey)
    transaction.finalize()
    await bitcoind.rpc.call('sendrawtransaction', transaction.hex)
    return transaction.id
  }

  it('is found in the chain, and asks for no signature any more', async () => {
    using own = await openTreasury(bitcoind, 60_000n)
    const sender = own.open({ external: true })
    await sender.pin('a', 20_000n)
    await sender.prepare('a', payees(20_000n))
    const txid = await sendElsewhere(sender.unsignedPsbt('a'), own)
    await bitcoind.mine(1)
    await sender.advance()
    expect(onlyPayout(sender)).toMatchObject({ state: 'confirmed', trouble: null, payment: { txid } })
    expect(sender.unsignedPsbt('a')).toBeNull()
    await bitcoind.mine(2)
    await sender.advance()
    expect(onlyPayout(sender)).toMatchObject({ state: 'settled', attempts: [{ txid }] })
  })

  it('is the dearer one where that was mined', async () => {
    using own = await openTreasury(bitcoind, 60_000n)
    const sender = own.open({ external: true })
    await sender.pin('a', 20_000n)
    await sender.prepare('a', payees(20_000n))
    const psbt = Transaction.fromPSBT(sender.unsignedPsbt('a') ?? new Uint8Array())
    await sender.importPsbt('a', signed(psbt, own.secretKey))
    await sender.advance()
    for (let block = 0; block < 7; block += 1) {
      await mineEmpty(bitcoind)
      await sender.advance()
    }
    const txid = await sendElsewhere(sender.unsignedPsbt('a'), own)
    await bitcoind.mine(3)
    await sender.advance()
    expect(onlyPayout(sender)).toMatchObject({
      state: 'settled',
      payment: { txid },
      attempts: [{}, { txid }],
    })
  })
})

it('a payout that the node takes at no such price waits for the one signature that was asked for', async () => {
  using own = await openTreasury(bitcoind, 60_000n)
  const real = youngNode(bitcoind.rpc)
  const low = { mempoolMinSatPerKvb: 0n, relayMinSatPerKvb: 0n }
  const node: Node = { ...real, feeMarket: async (blocks) => ({ ...(await real.feeMarket(blocks)), ...low }) }
  const cheap = own.open({ external: true, node, policy: { floorSatPerKvb: 10n } })
  const psbt = () => Transaction.fromPSBT(cheap.unsignedPsbt('a') ?? new Uint8Array())
  await cheap.pin('a', 20_000n)
  await cheap.prepare('a', payees(20_000n))
  await cheap.importPsbt('a', signed(psbt(), own.secretKey))
  await own.open({ external: true }).advance()
  const inHand = psbt()
  await own.open({ external: true, policy: { floorSatPerKvb: 3_000n } }).advance()
  expect(onlyPayout(cheap)).toMatchObject({
    trouble: expect.stringContaining('waits for its signature'),
    attempts: [{}, { txid: inHand.id }],
  })
  const txid = await cheap.importPsbt('a', signed(inHand, own.secretKey))
  await cheap.advance()
  expect(await mempool(bitcoind)).toEqual([txid])
  await bitcoind.mine(1)
})

describe('a payout of deposits that somebody else signs for the treasury', () => {
  it('is exported signed for the deposits, and whole with the other signature', async () => {
    using mixed = await openTreasury(bitcoind, 30_000n)
    const address = taprootAddress(depositKeyAt(3).internalKey, 'regtest')
    mixed.coins.push({ ...(await bitcoind.fund(address, 40_000n)), valueSats: 40_000n, keyIndex: 3 })
    const sender = mixed.open({ external: true })
    await sender.pin('a', 60_000n)
    await sender.prepare('a', payees(60_000n))
    const bytes = sender.unsignedPsbt('a')
    if (bytes === null) throw new Error('it waits for the treasury')
    const psbt = Transaction.fromPSBT(bytes)
    expect([0, 1].map((i) => psbt.getInput(i).tapKeySig?.length)).toEqual([64, undefined])
    await expect(sender.importPsbt('a', bytes)).rejects.toMatchObject({ code: 'psbt_unsigned' })
    psbt.signIdx(mixed.secretKey, 1)
    const txid = await sender.importPsbt('a', psbt.toPSBT(0))
    await sender.advance()
    expect(await mempool(bitcoind)).toEqual([txid])
    await bitcoind.mine(1)
  })

  it('waits for nobody when deposits suffice', async () => {
    using rich = await openTreasury(bitcoind)
    const address = taprootAddress(depositKeyAt(4).internalKey, 'regtest')
    rich.coins.push({ ...(await bitcoind.fund(address, 40_000n)), valueSats: 40_000n, keyIndex: 4 })
    const sender = rich.open({ external: true })
    await sender.pin('a', 20_000n)
    await sender.prepare('a', payees(20_000n))
    expect(sender.unsignedPsbt('a')).toBeNull()
    await sender.advance()
    expect(await mempool(bitcoind)).toEqual([paymentOf(onlyPayout(sender)).txid])
    await bitcoind.mine(1)
  })
})
