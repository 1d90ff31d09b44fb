import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { openNvidiaMeter } from '../../../compute/energy/nvidia-meter.ts'
import { parsePowerLine } from '../../../compute/energy/parse-power-line.ts'

// Lines in the form of nvidia-smi 535 to 570 with csv,noheader,nounits.
test.each([
  ['68.53', 68.53],
  ['  9.10 ', 9.1],
  ['700', 700],
  ['0.00', 0],
  ['[N/A]', null],
  ['[Not Supported]', null],
  ['[Unknown Error]', null],
  ['68.53 W', null],
  ['-1', null],
  ['1e3', null],
  ['10001', null],
  ['', null],
  ['No devices were found', null],
])('%j is %s W', (line, watts) => {
  expect(parsePowerLine(line)).toBe(watts)
})

/** A program in the place of nvidia-smi that checks how it is called, then says `lines` and stays. */
function standIn(lines: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-nvidia-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'nvidia-smi')
  writeFileSync(
    file,
    `#!/bin/sh\n[ "$*" = "--id=1 --query-gpu=power.draw --format=csv,noheader,nounits --loop-ms=100" ] || exit 2\nprintf '${lines}'\nexec sleep 60\n`,
    { mode: 0o755 },
  )
  return file
}

test('power that nvidia-smi says becomes energy as time goes by', async () => {
  await using meter = openNvidiaMeter(1, standIn('100.0\\n'))
  expect(meter.method).toBe('nvidia-smi-power')
  let first = meter.millijoules()
  while (first === null) {
    await sleep(5)
    first = meter.millijoules()
  }
  let later = meter.millijoules()
  while (later === first) {
    await sleep(5)
    later = meter.millijoules()
  }
  expect(later).toBeGreaterThan(first)
})

test('without nvidia-smi nothing is known', async () => {
  await using meter = openNvidiaMeter(0, '/nowhere/nvidia-smi')
  expect(meter.millijoules()).toBeNull()
})
