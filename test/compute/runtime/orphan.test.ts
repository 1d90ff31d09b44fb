import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { longWork } from '../onnx/sample-models.ts'

const PARENT = fileURLToPath(new URL('./orphan-parent.ts', import.meta.url))

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a runner process ends with its parent, even in the middle of a run', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'assay-orphan-'))
  await writeFile(join(folder, 'long'), longWork())
  const parent = spawn(process.execPath, [PARENT, join(folder, 'long')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface({ input: parent.stdout }), 'line')
  const pid = Number(line)
  expect(isAlive(pid)).toBe(true)
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 30_000 })
  await rm(folder, { recursive: true })
})
