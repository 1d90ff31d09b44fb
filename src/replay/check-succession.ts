import { hex } from '../../compute/work/hex.ts'
import { maturedAccount, requesterAccount, unmaturedAccount } from '../ledger/accounts.ts'
import { checkpointIn, verifyCheckpoint } from '../log/checkpoint.ts'
import type { Succession } from '../log/entry.ts'
import { type InheritedBalances, parseInheritedBalances } from '../log/inherited-balances.ts'
import { parseVerifierKey } from '../log/note-key.ts'
import { txidText } from '../log/txid.ts'
import { verifierKeyOf } from '../monitor/verifier-key.ts'
import { INHERITED, NO_MODEL } from '../rules/maturing.ts'
import { type Check, readable } from './findings.ts'
import { readBlob } from './read-blob.ts'
import type { ReplayState } from './replay-state.ts'
import { SuccessionError } from './succession-error.ts'

/** The log before this one, and what it left: believed as it stands where nobody brings that log. */
export async function checkSuccession(state: ReplayState, succeeds: Succession): Promise<void> {
  const check = state.findings.at('succession', 0)
  const { logKey, checkpoint } = succeeds
  const old = readable(check, () => {
    const { origin } = checkpointIn(checkpoint)
    return verifyCheckpoint(checkpoint, parseVerifierKey(verifierKeyOf({ origin, logKey })))
  })
  check(old?.origin !== state.genesis.origin, 'origin_repeated', () => 'the log before has the same name')
  const bytes = await readBlob(state, check, succeeds.balances, 'balances')
  const balances = bytes === null ? null : readable(check, () => parseInheritedBalances(bytes))
  if (balances !== null) inherit(state, balances)
  const { predecessor } = state.source
  if (predecessor === null) state.findings.skip('succession')
  else await compare(check, succeeds, predecessor)
}

/** The debts; coins come as deposits. */
function inherit(state: ReplayState, inherited: InheritedBalances): void {
  state.inherited = inherited
  const rows = inherited.workers.map(({ worker, unmaturedMsat }) => ({
    worker: hex(worker),
    subnet: INHERITED,
    model: NO_MODEL,
    msat: unmaturedMsat,
    requester: null,
  }))
  state.accruals.set('inherited', { isMatured: false, rows: rows.filter(({ msat }) => msat > 0n) })
  const { balances } = state
  for (const { requester, msat } of inherited.requesters) {
    balances.move('inherited', requesterAccount(requester), msat)
  }
  for (const { worker, maturedMsat, unmaturedMsat } of inherited.workers) {
    balances.move('inherited', maturedAccount(hex(worker)), maturedMsat)
    balances.move('inherited', unmaturedAccount(hex(worker)), unmaturedMsat)
  }
}

async function compare(
  check: Check,
  named: Succession,
  predecessor: NonNullable<ReplayState['source']['predecessor']>,
): Promise<void> {
  try {
    const { succeeds } = await predecessor()
    check(
      equal(named.logKey, succeeds.logKey) && named.checkpoint === succeeds.checkpoint,
      'checkpoint_mismatch',
      () => `names another head than the last that was anchored:\n${named.checkpoint}`,
    )
    const [own, theirs] = [named.anchor, succeeds.anchor]
    check(
      own.index === theirs.index && own.height === theirs.height && equal(own.txid, theirs.txid),
      'anchor_mismatch',
      () =>
        `names anchor ${own.index}, ${txidText(own.txid)}; the last was ${theirs.index}, ${txidText(theirs.txid)}`,
    )
    check(
      equal(named.balances, succeeds.balances),
      'balances_mismatch',
      () => `took over ${hex(named.balances)}, recomputed ${hex(succeeds.balances)}`,
    )
  } catch (error) {
    if (!(error instanceof SuccessionError)) throw error
    check(false, error.code, () => `the log before: ${error.message}`)
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
