import { parseHeader } from '../../anchor/block-header.ts'
import { assertAccount } from '../ledger/accounts.ts'
import type { TransferFilter } from '../ledger/transfer.ts'
import type { Coordinator, OpenHouse } from './coordinator.ts'

/**
 * Transfers in their order with the anchor of the entry that justifies each, null where none is mined yet; the next page
 * comes after the last row's `sequence`. The operator's alone until settlement: what is charged tells which jobs are requests.
 * Throws LedgerError `account_unknown`.
 */
export function listTransfers(
  { books }: Coordinator,
  { anchorer }: OpenHouse,
  { account, after }: { account: string | null; after: number | null },
) {
  return books.ledger.transfers(filterOf(account), after ?? 0).map((transfer) => {
    const anchor = anchorer.firstOver(transfer.entryIndex)
    const header = anchor?.header ?? null
    return {
      ...transfer,
      anchorHeight: anchor?.height ?? null,
      anchorTimeUnix: header === null ? null : parseHeader(header).time,
    }
  })
}

function filterOf(account: string | null): TransferFilter {
  if (account === null) return 'all'
  assertAccount(account)
  return { account }
}
