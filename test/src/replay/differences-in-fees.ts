import { encodeEntry } from '../../../src/log/entry.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import {
  appendEntry,
  type ChangedLog,
  changeEntry,
  changeRefunded,
  changeTable,
  type Difference,
  withBytes,
  without,
} from './changed-log.ts'
import { find } from './recorded-log.ts'

export const DIFFERENCES_IN_FEES: Difference[] = [
  [
    'a charge of 1 msat above the price',
    'epochs: accrual_mismatch',
    (log) => changeFirstFee(log, (fee) => ({ ...fee, msat: fee.msat + 1n })),
  ],
  [
    'a fee to another worker',
    'epochs: accrual_mismatch',
    (log) => changeFirstFee(log, (fee) => ({ ...fee, worker: 'ab'.repeat(32) })),
  ],
  [
    'a charge to another requester',
    'epochs: accrual_mismatch',
    (log) => changeFirstFee(log, (fee) => ({ ...fee, requester: 'somebody' })),
  ],
  [
    'a share of the operator above the published one',
    'epochs: accrual_mismatch',
    (log) => changeFirstFee(log, (fee) => ({ ...fee, msat: fee.msat - 1n, shareMsat: fee.shareMsat + 1n })),
  ],
  ['a charge for work that nobody asked for', 'epochs: accrual_mismatch', (log) => chargeFor(log, 'earned')],
  ['a charge for work that failed', 'epochs: accrual_mismatch', (log) => chargeFor(log, 'fail')],
  ['a charge for a job that was given back', 'epochs: accrual_mismatch', (log) => chargeFor(log, 'refunded')],
  [
    'a fee that is left out',
    'epochs: accrual_mismatch',
    (log) => changeTable(log, ({ fees, ...table }) => ({ ...table, fees: fees.slice(1) })),
  ],
  [
    'a sum of 1 msat more of charges',
    'epochs: sum_mismatch',
    (log) => changeEntry(log, 'epoch', (entry) => ({ ...entry, feesMsat: entry.feesMsat + 1n })),
  ],
  ['a refund that never was', 'epochs: accrual_mismatch', leftOutRefund],
  ['charges that no deposit covers', 'epochs: charge_not_covered', leftOutDeposit],
  [
    'a refund of what is in a submission',
    'refunds: refund_late',
    (log) => changeRefunded(log, (_refunded, submitted) => [submitted]),
  ],
  [
    'a refund of one job twice',
    'refunds: refund_repeated',
    (log) => changeRefunded(log, (refunded) => [...refunded, ...refunded]),
  ],
  [
    'a refund of no job of the log',
    'refunds: job_unknown',
    (log) => changeRefunded(log, () => [new Uint8Array(32)]),
  ],
  [
    'a refund of more than it lists',
    'refunds: count_mismatch',
    (log) => changeEntry(log, 'refund', (entry) => ({ ...entry, count: entry.count + 1 })),
  ],
  [
    'a first price that is not the definition’s',
    'prices: price_mismatch',
    (log) => changeEntry(log, 'price', (entry) => ({ ...entry, msat: entry.msat + 1n })),
  ],
  [
    'a price that does not follow from the one before',
    'prices: price_mismatch',
    (log) =>
      changeEntry(
        log,
        'price',
        (entry) => ({ ...entry, msat: entry.msat + 1n }),
        ({ epoch }) => epoch > 2,
      ),
  ],
  [
    'a second price for an epoch',
    'prices: price_repeated',
    (log) =>
      changeEntry(
        log,
        'price',
        (entry) => ({ ...entry, epoch: 0 }),
        ({ epoch }) => epoch === 1,
      ),
  ],
  [
    'a price for an epoch far ahead',
    'prices: price_out_of_turn',
    (log) => changeEntry(log, 'price', (entry) => ({ ...entry, epoch: 40 })),
  ],
  [
    'a price of a subnet that is none',
    'prices: price_of_nothing',
    (log) => changeEntry(log, 'price', (entry) => ({ ...entry, subnet: 'nothing' })),
  ],
  ['an account opened twice', 'requesters: requester_repeated', (log) => appendEntry(log, 'requester')],
  ["an account at the treasury's address", 'requesters: address_repeated', atTheTreasury],
  [
    'an account without an address',
    'requesters: address_invalid',
    (log) => changeEntry(log, 'requester', (entry) => ({ ...entry, address: 'nowhere' })),
  ],
  [
    'an account without an address for refunds',
    'requesters: address_invalid',
    (log) => changeEntry(log, 'requester', (entry) => ({ ...entry, refund: 'nowhere' })),
  ],
  [
    "a requester's coin booked to the reserve",
    'deposits: coin_mismatch',
    (log) =>
      changeEntry(
        log,
        'deposit',
        (entry) => ({ ...entry, account: 'reserve' }),
        ({ account }) => account !== 'reserve',
      ),
  ],
]

interface ClaimedFee extends Record<string, unknown> {
  msat: bigint
  shareMsat: bigint
}

function changeFirstFee(log: ReplaySource, change: (fee: ClaimedFee) => ClaimedFee): Promise<ChangedLog> {
  return changeTable(log, ({ fees: [first, ...rest], ...table }) => {
    if (first === undefined) throw new Error('nobody has paid')
    return { ...table, fees: [change(first), ...rest] }
  })
}

/** As if the first receipt that was settled so had been bought. */
function chargeFor(log: ReplaySource, reason: string): Promise<ChangedLog> {
  return changeTable(log, ({ fees, ...table }) => {
    const receipt = table.receipts.find((one) => one.reason === reason)?.receipt
    const [first] = fees
    if (receipt === undefined || first === undefined) throw new Error(`no receipt is ${reason}`)
    return { ...table, fees: [...fees, { ...first, receipt }] }
  })
}

/** The job that was given back has a receipt, which then is to be paid. */
async function leftOutRefund(log: ReplaySource): Promise<ChangedLog> {
  const source = await without(log, ({ kind }) => kind === 'refund')
  return { source, entry: (await find(log, 'epoch')).index }
}

/** The coin is there in truth: only without a node do the charges show it. */
async function leftOutDeposit(log: ReplaySource): Promise<ChangedLog> {
  const source = await without(log, (entry) => entry.kind === 'deposit' && entry.account !== 'reserve')
  return {
    source: { ...source, chain: { ...source.chain, node: null } },
    entry: (await find(log, 'epoch')).index,
  }
}

async function atTheTreasury(log: ReplaySource): Promise<ChangedLog> {
  const { entry: genesis } = await find(log, 'genesis')
  const { index, entry } = await find(log, 'requester')
  return {
    source: await withBytes(log, index, encodeEntry({ ...entry, address: genesis.treasury })),
    entry: index,
  }
}
