import { expect, onTestFinished, test, vi } from 'vitest'
import { openTerminal } from '../../../src/cli/terminal.ts'

test('what a coordinator says does not steer the terminal, in a line or in a result; JSON says it as it is', () => {
  const written: string[] = []
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  onTestFinished(() => write.mockRestore())
  const said = 'a\u001b[2J\u009b31m\tb\nc'
  openTerminal(false).line(said)
  openTerminal(false).result({ said }, ({ said }) => said)
  openTerminal(true).result({ said }, ({ said }) => said)
  write.mockRestore()
  const escaped = `${String.raw`a\u001b[2J\u009b31m`}\tb\nc\n`
  expect(written.slice(0, 2)).toEqual([escaped, escaped])
  expect(JSON.parse(written[2] ?? '')).toEqual({ said })
})
