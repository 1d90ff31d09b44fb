import { z } from 'zod'
import type { AccountName } from '../ledger/accounts.ts'

/** One line of a `payout` entry's blob. */
export interface Payee {
  readonly address: string
  readonly sats: bigint
  /** That is paid from: a worker's matured one, or a requester's. */
  readonly account: AccountName
}

const ACCOUNT = /^(worker\/[0-9a-f]{64}\/matured|requester\/[a-z0-9-]{1,64})$/

const payees = z.array(
  z.strictObject({
    address: z.string(),
    sats: z.union([z.bigint(), z.int()]).transform(BigInt),
    account: z.custom<AccountName>((value) => typeof value === 'string' && ACCOUNT.test(value)),
  }),
)

export function parsePayees(value: unknown): Payee[] {
  return payees.parse(value)
}
