import { parseAddress } from '../../anchor/address.ts'
import type { EntryOf } from '../log/entry.ts'
import { verifierKeyOf } from '../monitor/verifier-key.ts'
import { calendarFaults } from '../rules/calendar.ts'
import { checkSuccession } from './check-succession.ts'
import { readable } from './findings.ts'
import type { ReplayState } from './replay-state.ts'

/** The first entry fixes everything else; `verifyHead` holds its key against the log's head. */
export async function checkGenesis(
  state: ReplayState,
  genesis: EntryOf<'genesis'>,
  index: number,
): Promise<void> {
  const check = state.findings.at('genesis', index)
  if (!check(index === 0, 'genesis_repeated', () => 'a log has one genesis')) return
  const { verifierKey } = state.source
  if (verifierKey === null) state.findings.skip('genesis')
  else {
    const own = verifierKeyOf(genesis)
    check(verifierKey === own, 'log_key_mismatch', () => `names ${own}, expected ${verifierKey}`)
  }
  readable(check, () => parseAddress(genesis.treasury, genesis.network))
  const [fault] = calendarFaults(genesis.network, genesis.epoch)
  check(
    fault === undefined,
    'calendar_unsound',
    () => `epoch.${fault?.key} is not as it has to be: ${fault?.expected}`,
  )
  if (genesis.succeeds !== null) await checkSuccession(state, genesis.succeeds)
}
