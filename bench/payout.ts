/** A payout of 10,000 payees: planned by the rules, made and checked in transactions that nodes relay. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { parseAddress } from '../anchor/address.ts'
import { createPayoutMaker } from '../anchor/payout-maker.ts'
import type { TreasuryCoin } from '../anchor/payout-transaction.ts'
import { taprootAddress } from '../anchor/taproot-address.ts'
import { publicKeyOf } from '../compute/work/worker-key.ts'
import { maturedAccount } from '../src/ledger/accounts.ts'
import { type PayoutCandidate, planPayout } from '../src/rules/plan-payout.ts'
import { type Row, rowOf } from './row.ts'

const PAYEES = 10_000
/** The most that configuration allows: 2,000 P2TR outputs are 86,000 vB of the 100,000 that nodes relay. */
const PAYEES_PER_PAYOUT = 2_000
const SATS_EACH = 10_000n
const FEE_SATS = 100_000n
const MAX_SECONDS = 10

export function payout(): Row {
  const secretKey = Buffer.from(hash('sha256', 'treasury'), 'hex')
  const internalKey = publicKeyOf(secretKey)
  const { script: changeScript } = parseAddress(taprootAddress(internalKey, 'regtest'), 'regtest')
  const candidates = Array.from({ length: PAYEES }, (_, i) => addressed(i))
  const maker = createPayoutMaker({
    network: 'regtest',
    keyAt: () => ({ internalKey, secretKey }),
    changeScript,
  })
  const limits = {
    thresholdSats: 1_000n,
    payeeCapSats: SATS_EACH,
    runCapSats: SATS_EACH * BigInt(PAYEES),
    dayLeftSats: SATS_EACH * BigInt(PAYEES),
    maxPayees: PAYEES_PER_PAYOUT,
  }

  const startedMs = performance.now()
  let waiting: PayoutCandidate[] = candidates.map((one) => ({
    ...one,
    dustSats: parseAddress(one.address, 'regtest').dustSats,
  }))
  let paidSats = 0n
  let coin: TreasuryCoin = {
    txid: hash('sha256', 'coin'),
    vout: 0,
    valueSats: SATS_EACH * BigInt(2 * PAYEES),
    keyIndex: 0,
  }
  while (waiting.length > 0) {
    const { payees } = planPayout(waiting, limits)
    const outputs = payees.map(({ address, sats }) => ({ address, valueSats: sats }))
    const made = maker.make({ inputs: [coin], outputs }, { parent: null, feeSats: FEE_SATS }, 0)
    paidSats += payees.reduce((sum, { sats }) => sum + sats, 0n)
    coin = { txid: made.txid, vout: outputs.length, valueSats: made.changeSats, keyIndex: 0 }
    waiting = waiting.slice(payees.length)
  }
  const seconds = (performance.now() - startedMs) / 1_000

  assert.equal(paidSats, SATS_EACH * BigInt(PAYEES))
  return rowOf({
    name: `payout of ${PAYEES} payees, ${PAYEES_PER_PAYOUT} to a transaction, planned, signed and checked`,
    value: seconds,
    unit: 's',
    bar: { on: 'value', is: '≤', bound: MAX_SECONDS },
  })
}

function addressed(i: number): Omit<PayoutCandidate, 'dustSats'> {
  const worker = Buffer.from(hash('sha256', `worker ${i}`), 'hex')
  return {
    account: maturedAccount(worker.toString('hex')),
    address: taprootAddress(publicKeyOf(worker), 'regtest'),
    payableMsat: SATS_EACH * 1_000n,
    thresholdSats: 0n,
    isQuarantined: false,
  }
}
