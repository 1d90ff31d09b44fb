/** What the checks use of node:assert, for browsers. */
class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

export default function assert(value: unknown, message = 'assertion failed'): asserts value {
  if (!value) throw new AssertionError(message)
}

assert.equal = (actual: unknown, expected: unknown, message?: string): void => {
  assert(Object.is(actual, expected), message)
}
