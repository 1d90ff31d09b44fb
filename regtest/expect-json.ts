/** What bitcoind's answers must be here. A TypeError: a node that answers otherwise is no bitcoind that we know. */
export function expectRecord(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unexpected(what, 'an object')
  return Object.fromEntries(Object.entries(value))
}

export function expectText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw unexpected(what, 'a string')
  return value
}

export function expectNumber(value: unknown, what: string): number {
  if (typeof value !== 'number') throw unexpected(what, 'a number')
  return value
}

export function expectList(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw unexpected(what, 'a list')
  return value
}

function unexpected(what: string, expected: string): TypeError {
  return new TypeError(`${what}: expected ${expected}`)
}
