/** Between two looks at a condition that no event announces across processes. */
const LOOK_EVERY_MS = 20

export class DemoError extends Error {
  override readonly name = 'DemoError'
  readonly code = 'demo_stuck'
}

/** Waits for `check` to give something else than null. Throws DemoError after `limitMs`: what hangs must not hang us. */
export async function until<T>(
  what: string,
  limitMs: number,
  check: () => Promise<T | null> | T | null,
): Promise<T> {
  const endMs = Date.now() + limitMs
  for (;;) {
    const found = await check()
    if (found !== null) return found
    if (Date.now() > endMs) throw new DemoError(`waited ${limitMs} ms for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}
