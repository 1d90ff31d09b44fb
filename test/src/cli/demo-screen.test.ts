import { afterEach, expect, test, vi } from 'vitest'
import { openDemoScreen } from '../../../src/cli/demo-screen.ts'

const COLOR = '\u001b[32m'
const LIVE = '\r\u001b[2K'

afterEach(() => vi.unstubAllEnvs())

/** What one stage, begun and ended well, writes. */
function shown(isTTY: boolean): string {
  let out = ''
  const screen = openDemoScreen({ isTTY, columns: 80, write: (text) => (out += text) })
  screen.show({ kind: 'stage', stage: 'proofs' })
  screen.close(true)
  return out
}

test.each([
  ['a terminal', true, undefined, 'xterm', true],
  ['a terminal, NO_COLOR empty', true, '', 'xterm', true],
  ['a terminal, NO_COLOR=1', true, '1', 'xterm', false],
  ['a terminal, NO_COLOR=0: any value counts', true, '0', 'xterm', false],
  ['a terminal that can do nothing', true, undefined, 'dumb', false],
  ['a file', false, undefined, 'xterm', false],
])('colours in %s', (_what, isTTY, noColor, term, isColored) => {
  vi.stubEnv('NO_COLOR', noColor)
  vi.stubEnv('TERM', term)
  const out = shown(isTTY)
  expect(out).toContain('✓')
  expect(out.includes(COLOR)).toBe(isColored)
})

test('a line that is drawn over and over is for terminals alone', () => {
  vi.stubEnv('TERM', 'xterm')
  expect(shown(true)).toContain(LIVE)
  expect(shown(false)).not.toContain('\u001b')
})
