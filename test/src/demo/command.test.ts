import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type { DemoSummary } from '../../../src/demo/demo-event.ts'

const CLI = fileURLToPath(new URL('../../../src/cli/assay.js', import.meta.url))
const EXPLORER = /The explorer is at (\S+) until/

/** `assay demo` with `options`; Ctrl-C once `examined` has looked at the coordinator that is left running. Leaves no folder behind. */
async function demo(options: string[], examined: (url: string) => Promise<void>): Promise<DemoSummary> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-command-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const program = spawn(process.execPath, [CLI, 'demo', '--stay', '--json', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
    detached: true,
  })
  const ended = once(program, 'exit')
  onTestFinished(async () => {
    if (program.pid === undefined || program.exitCode !== null || program.signalCode !== null) return
    process.kill(-program.pid, 'SIGKILL')
    await ended
  })
  let said = ''
  program.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  for await (const line of createInterface(program.stderr)) {
    const [, url] = EXPLORER.exec(line) ?? []
    if (url === undefined) continue
    // The summary is read before the stay ends.
    while (!said.endsWith('\n')) await once(program.stdout, 'data')
    await examined(url)
    // As a terminal does: to all that run under it.
    if (program.pid !== undefined) process.kill(-program.pid, 'SIGINT')
  }
  expect(await ended).toEqual([0, null])
  expect(readdirSync(folder).filter((name) => name.startsWith('assay-demo-'))).toEqual([])
  return JSON.parse(said)
}

test('by taproot, with a cheat, and left running: anchors take 111 vB, the cheat loses what it had not been paid yet, the others get theirs', async () => {
  const { anchors, checks, workers } = await demo(['--method', 'taproot', '--cheat'], async (url) => {
    expect((await fetch(`${url}/v1/epochs`)).status).toBe(200)
  })
  expect(new Set(anchors.map(({ vsize }) => vsize))).toEqual(new Set([111]))
  expect(checks.filter(({ ok }) => !ok)).toEqual([])
  expect(checks.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['suspension', 'forfeit', 'others', 'audit log']),
  )
  expect(workers).toHaveLength(4)
})
