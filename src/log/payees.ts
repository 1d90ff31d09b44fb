import { z } from 'zod'

/** One line of a `payout` entry's blob. */
export interface Payee {
  readonly address: string
  readonly sats: bigint
  readonly worker: Uint8Array
}

const payees = z.array(
  z.strictObject({
    address: z.string(),
    sats: z.union([z.bigint(), z.int()]).transform(BigInt),
    worker: z.instanceof(Uint8Array),
  }),
)

export function parsePayees(value: unknown): Payee[] {
  return payees.parse(value)
}
