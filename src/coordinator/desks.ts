import type { NetworkName } from '../../anchor/network.ts'
import type { Payer } from '../../anchor/payer.ts'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import type { Config } from '../config/config-schema.ts'
import { proctorKey } from '../keystore/proctor-key.ts'
import { epochRules } from '../rules/epoch-rules.ts'
import { openExpectedReward } from '../rules/expected-reward.ts'
import type { Assignments } from './assignments.ts'
import { openAssignments } from './assignments.ts'
import type { AuditCapacity } from './audit-capacity.ts'
import { openAuditCapacity } from './audit-capacity.ts'
import type { AuditDraw } from './audit-draw.ts'
import { openAuditDraw } from './audit-draw.ts'
import type { Auditors } from './auditors.ts'
import { openAuditors } from './auditors.ts'
import type { AuditDesk } from './audits.ts'
import { openAuditDesk } from './audits.ts'
import type { Bell } from './bell.ts'
import { createBell } from './bell.ts'
import type { Books } from './books.ts'
import type { Budgets } from './budgets.ts'
import { openBudgets } from './budgets.ts'
import type { Canaries } from './canaries.ts'
import { openCanaries } from './canaries.ts'
import { openCanaryVerdicts } from './canary-verdicts.ts'
import type { Charges } from './charges.ts'
import { openCharges } from './charges.ts'
import type { Deposits } from './deposits.ts'
import { openDeposits } from './deposits.ts'
import type { EnergyTally } from './energy-tally.ts'
import { createEnergyTally } from './energy-tally.ts'
import { openEpochMarks } from './epoch-marks.ts'
import { openEpochWork } from './epoch-work.ts'
import type { Genesis } from './genesis.ts'
import type { InheritanceDesk } from './inheritance.ts'
import { openInheritanceDesk } from './inheritance.ts'
import type { LeaseDesk } from './leases.ts'
import { openLeaseDesk } from './leases.ts'
import type { Market } from './market.ts'
import { openMarket } from './market.ts'
import { openMaturing } from './maturing.ts'
import { openPayoutPlanner } from './payout-planner.ts'
import type { Payouts } from './payouts.ts'
import { openPayouts } from './payouts.ts'
import type { Prices } from './prices.ts'
import { openPrices } from './prices.ts'
import { openProctor, type Proctor } from './proctor.ts'
import type { Registry } from './registry.ts'
import { openRegistry } from './registry.ts'
import type { Requesters } from './requesters.ts'
import { openRequesters } from './requesters.ts'
import type { RequestQueue } from './requests.ts'
import { openRequestQueue } from './requests.ts'
import type { ResultDesk } from './results.ts'
import { openResultDesk } from './results.ts'
import { openRetention, type Retention } from './retention.ts'
import type { Settlement } from './settlement.ts'
import { openSettlement } from './settlement.ts'
import { openStandingRows } from './standing-rows.ts'
import type { StandingDesk } from './standings.ts'
import { openStandingDesk } from './standings.ts'
import type { SubmissionDesk } from './submissions.ts'
import { openSubmissionDesk } from './submissions.ts'
import { openUnsettledWatch } from './unsettled-watch.ts'
import type { Withdrawals } from './withdrawals.ts'
import { openWithdrawals } from './withdrawals.ts'

/** The coordinator's rooms, one for each step on the way from request to payout (DESIGN §2). */
export interface Desks {
  readonly bell: Bell
  /** Audits are drawn by blocks alone: who waits for them need not wake at each request. */
  readonly auditBell: Bell
  readonly registry: Registry
  readonly market: Market
  readonly requesters: Requesters
  readonly requests: RequestQueue
  readonly prices: Prices
  readonly charges: Charges
  readonly withdrawals: Withdrawals
  readonly leases: LeaseDesk
  readonly results: ResultDesk
  readonly submissions: SubmissionDesk
  readonly energy: EnergyTally
  readonly assignments: Assignments
  readonly auditors: Auditors
  readonly capacity: AuditCapacity
  readonly canaries: Canaries
  readonly proctor: Proctor
  readonly draw: AuditDraw
  readonly audits: AuditDesk
  readonly standings: StandingDesk
  readonly deposits: Deposits
  readonly budgets: Budgets
  readonly settlement: Settlement
  readonly inheritance: InheritanceDesk
  readonly payouts: Payouts
  readonly retention: Retention
}

export function openDesks(
  books: Books,
  genesis: Genesis,
  config: Config,
  payer: Payer,
  { proctorSeed, depositKey }: { proctorSeed: Uint8Array; depositKey: (number: number) => Uint8Array },
): Desks {
  const { origin, auditBasisPoints: auditShareBasisPoints, subsidy, auditor } = genesis
  const network: NetworkName = genesis.network
  const rules = epochRules(genesis)
  const bell = createBell()
  const reserved = [genesis.treasury, taprootAddress(genesis.internalKey, network)]
  const registry = openRegistry(books, { origin, network, reserved })
  const requesters = openRequesters(books, { network, treasury: genesis.treasury, reserved, depositKey })
  const auditors = openAuditors(books, { registry, operator: auditor })
  const market = openMarket(books)
  const requests = openRequestQueue(bell)
  const prices = openPrices(books, { market, rules, takeUnserved: requests.takeUnserved })
  const withdrawals = openWithdrawals(books, config.payout)
  const charges = openCharges(books, prices, withdrawals)
  const { canaryBasisPoints: shareBasisPoints, maxOpenPerAuditor } = config.audits
  const canaries = openCanaries(books, { market, shareBasisPoints })
  const capacity = openAuditCapacity(books, { auditors, maxOpenPerAuditor })
  const unsettled = openUnsettledWatch(books.db)
  const leases = openLeaseDesk(
    books,
    { market, requests, charges, capacity, canaries, unsettled },
    config.leases,
  )
  const budgets = openBudgets(books, {
    rules,
    subsidy,
    feeReserveSats: genesis.feeReserveSats,
  })
  const expectedRewardMsat = openExpectedReward(market, budgets, prices, auditShareBasisPoints)
  const standingRows = openStandingRows(books.db, market)
  const maturing = openMaturing(books, standingRows)
  const { suspensionBlocks } = genesis.epoch
  const standings = openStandingDesk(books, { rows: standingRows, maturing, suspensionBlocks })
  const results = openResultDesk(books, leases)
  const energy = createEnergyTally()
  const submissions = openSubmissionDesk(books, {
    origin,
    registry,
    market,
    unsettled,
    expectedRewardMsat,
    energy,
  })
  return {
    bell,
    auditBell: createBell(),
    registry,
    market,
    requesters,
    requests,
    prices,
    charges,
    withdrawals,
    leases,
    results,
    submissions,
    energy,
    assignments: openAssignments(books, { market, registry, rules, auditor }),
    auditors,
    capacity,
    canaries,
    proctor: openProctor(books, {
      origin,
      keyOf: (index) => proctorKey(proctorSeed, network, index),
      rules,
      receiptsPerEpoch: config.audits.plantedPerEpoch,
      registry,
      leases,
      results,
      submissions,
    }),
    draw: openAuditDraw(books, { market, auditors, rules, operator: auditor }),
    audits: openAuditDesk(books, { origin, market, standings }),
    standings,
    deposits: openDeposits(books, payer, requesters.accountOf),
    budgets,
    settlement: openSettlement(books, {
      market,
      budgets,
      canaryVerdicts: openCanaryVerdicts(books, {
        auditors,
        records: standingRows,
        maturing,
        standings,
        operator: auditor,
      }),
      prices,
      charges,
      work: openEpochWork(books, { market, rules }),
      marks: openEpochMarks(books.db),
      maturing,
      rules,
      auditShareBasisPoints,
    }),
    retention: openRetention(books, rules),
    inheritance: openInheritanceDesk(books, { rules, maturing }),
    payouts: openPayouts(books, {
      payer,
      withdrawals,
      network,
      finalDepth: rules.finalDepth,
      plan: openPayoutPlanner(books, {
        registry,
        withdrawals,
        network,
        finalDepth: rules.finalDepth,
        limits: config.payout,
      }),
    }),
  }
}
