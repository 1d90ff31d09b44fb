import { z } from 'zod'
import { RefusedError } from '../coordinator/refused-error.ts'

/** 15 digits are exact in a number; more than any log, chain or calendar counts. */
export const cursorSchema = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})$/)
  .transform(Number)

/** As the receipts' own order: entry, then position in it. */
export const placeSchema = z
  .string()
  .regex(/^(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,5})$/)
  .transform((text) => {
    const [entry = 0, position = 0] = text.split('.').map(Number)
    return { entry, position }
  })

/** Names of accounts (src/ledger/accounts.ts), none longer than a worker's. */
export const accountSchema = z.string().regex(/^[a-z0-9/-]{1,128}$/)

/** The cursor of a page, which names its last row. Null for the first page. Throws RefusedError 400 with what is `expected`. */
export function parseCursor<T>(schema: z.ZodType<T>, value: unknown, expected: string): T | null {
  if (value === undefined) return null
  const { success, data } = schema.safeParse(value)
  if (success) return data
  throw new RefusedError(400, 'cursor_malformed', expected)
}

/** The last row's key of the page before. */
export function cursorOf(value: unknown, name: 'after' | 'before' | 'from' | 'epoch'): number | null {
  return parseCursor(cursorSchema, value, `${name}: expected the key of the last page's last row`)
}

/** The same for lists of receipts: `<entry>.<position>`. */
export function placeOf(value: unknown, name: 'after' | 'before'): z.output<typeof placeSchema> | null {
  return parseCursor(placeSchema, value, `${name}: expected <entry>.<position> of the last page's last row`)
}

/** The same for the accounts of the books. */
export function accountOf(value: unknown): string | null {
  return parseCursor(accountSchema, value, 'after: expected the name of the last page’s last account')
}
