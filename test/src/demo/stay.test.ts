import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const CLI = fileURLToPath(new URL('../../../src/cli/assay.js', import.meta.url))
/** Three times what the demo takes on two busy cores. */
const LIMIT_MS = 300_000

test('with --stay the demo leaves its coordinator running until it is told to stop', {
  timeout: LIMIT_MS,
}, async () => {
  const demo = spawn(process.execPath, [CLI, 'demo', '--stay'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(demo, 'exit')
  const lines: string[] = []
  for await (const line of createInterface(demo.stdout)) {
    lines.push(line)
    const [, url] = /^The explorer is at (\S+) until/.exec(line) ?? []
    if (url === undefined) continue
    expect((await fetch(`${url}/v1/epochs`)).status).toBe(200)
    demo.kill('SIGINT')
  }
  expect(await ended).toEqual([0, null])
  expect(lines.at(-1)).toMatch(/^Every check held/)
})
