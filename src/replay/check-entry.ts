import type { Entry, EntryOf, StatusOf } from '../log/entry.ts'
import { checkAddress } from './check-address.ts'
import { checkAudit } from './check-audit.ts'
import { checkAuditor } from './check-auditor.ts'
import { checkBudget } from './check-budget.ts'
import { checkDeposit } from './check-deposit.ts'
import { checkEpoch } from './check-epoch.ts'
import { checkGenesis } from './check-genesis.ts'
import { checkJobs } from './check-jobs.ts'
import { checkInheritance, checkMaturity } from './check-maturity.ts'
import { checkPayout } from './check-payout.ts'
import { checkPrice } from './check-price.ts'
import { checkRefund } from './check-refund.ts'
import { checkRequester } from './check-requester.ts'
import { checkExpected, checkReturn, checkThaw } from './check-standing.ts'
import { checkSubmission } from './check-submission.ts'
import { checkSubnet } from './check-subnet.ts'
import { checkVerdict } from './check-verdict.ts'
import { checkVoid } from './check-void.ts'
import { checkWorker } from './check-worker.ts'
import type { ReplayState } from './replay-state.ts'

type Entries = { [Kind in Entry['kind']]: EntryOf<Kind> }
type Statuses = { [Subject in EntryOf<'status'>['subject']]: StatusOf<Subject> }
/** One rule for each key: a promise is waited for. */
type RulesOf<Of> = {
  readonly [Key in keyof Of]: (state: ReplayState, entry: Of[Key], index: number) => unknown
}

/** Every kind has its rule: no money moves by an entry that nobody recomputes. */
const RULES: RulesOf<Entries> = {
  genesis: checkGenesis,
  worker: checkWorker,
  address: checkAddress,
  subnet: checkSubnet,
  jobs: checkJobs,
  requester: checkRequester,
  price: checkPrice,
  refund: checkRefund,
  submission: checkSubmission,
  audit: checkAudit,
  verdict: checkVerdict,
  budget: checkBudget,
  deposit: checkDeposit,
  status: (state, entry, index) =>
    apply<Statuses, keyof Statuses>(STATUS_RULES, entry.subject, [state, entry, index]),
  forfeit: comparedAlready,
  payout: checkPayout,
  void: checkVoid,
  epoch: checkEpoch,
}

const STATUS_RULES: RulesOf<Statuses> = {
  epoch: checkMaturity,
  auditor: checkAuditor,
  inheritance: checkInheritance,
  worker: checkReturn,
  model: checkThaw,
  contradiction: comparedAlready,
}

/** By `checkExpected`, with what the entry before brings about. */
function comparedAlready(): void {}

function apply<Of, Key extends keyof Of>(
  rules: RulesOf<Of>,
  key: Key,
  [state, entry, index]: readonly [state: ReplayState, entry: Of[Key], index: number],
): unknown {
  return rules[key](state, entry, index)
}

/** Recomputes what one entry says, and takes it up into the state. */
export async function checkEntry(state: ReplayState, entry: Entry, index: number): Promise<void> {
  if (checkExpected(state, entry, index)) return
  await apply<Entries, keyof Entries>(RULES, entry.kind, [state, entry, index])
}
