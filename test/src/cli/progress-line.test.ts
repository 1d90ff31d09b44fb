import { expect, onTestFinished, test, vi } from 'vitest'
import { openProgressLine } from '../../../src/cli/progress-line.ts'

/** What is written for these, told at the start and at these times. */
function written(
  isTTY: boolean,
  told: readonly (readonly [atMs: number, done: number, of?: number])[],
): string[] {
  const lines: string[] = []
  const wasTTY = process.stderr.isTTY
  Object.assign(process.stderr, { isTTY })
  vi.stubEnv('TERM', 'xterm')
  onTestFinished(() => {
    Object.assign(process.stderr, { isTTY: wasTTY })
    vi.unstubAllEnvs()
  })
  const now = vi.spyOn(performance, 'now').mockReturnValue(0)
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(`${text}`) > 0)
  const progress = openProgressLine('Things')
  for (const [atMs, done, of] of told) {
    now.mockReturnValue(atMs)
    progress.show(done, of)
  }
  progress.close()
  write.mockRestore()
  return lines
}

test('what takes less than a second shows nothing', () => {
  expect(written(true, [[999, 5, 10]])).toEqual([])
})

test('a terminal has one line, with a bar where the whole is known', () => {
  const bar = `${'█'.repeat(10)}${'░'.repeat(10)}`
  expect(
    written(true, [
      [1_000, 5, 10],
      [1_099, 6, 10],
      [1_100, 7],
    ]),
  ).toEqual([`\r\u001b[2KThings ${bar} 5 of 10`, '\r\u001b[2KThings 7', '\r\u001b[2K'])
})

test('elsewhere a plain line comes every ten seconds', () => {
  expect(
    written(false, [
      [1_000, 5, 10],
      [10_999, 6, 10],
      [11_000, 7],
    ]),
  ).toEqual(['Things: 5 of 10\n', 'Things: 7\n'])
})
