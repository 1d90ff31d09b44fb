import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openRaplMeter } from '../../../compute/energy/rapl-meter.ts'

const RANGE = 262_143_328_850

/** A tree as Linux makes it (powercap.rst): two packages, a part of one, and the platform's sum. */
function tree(): { folder: string; count: (zone: string, microjoules: number | string) => void } {
  const folder = mkdtempSync(join(tmpdir(), 'assay-powercap-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const zones = {
    'intel-rapl:0': 'package-0',
    'intel-rapl:0:0': 'core',
    'intel-rapl:1': 'package-1',
    'intel-rapl:2': 'psys',
  }
  for (const [zone, name] of Object.entries(zones)) {
    mkdirSync(join(folder, zone))
    writeFileSync(join(folder, zone, 'name'), `${name}\n`)
    writeFileSync(join(folder, zone, 'energy_uj'), '1000000\n')
    writeFileSync(join(folder, zone, 'max_energy_range_uj'), `${RANGE}\n`)
  }
  return { folder, count: (zone, n) => writeFileSync(join(folder, zone, 'energy_uj'), `${n}\n`) }
}

test('packages are summed; their parts and the platform are not counted twice', () => {
  const { folder, count } = tree()
  const meter = openRaplMeter(folder)
  expect(meter?.method).toBe('rapl')
  expect(meter?.millijoules()).toBe(0)
  for (const zone of ['intel-rapl:0', 'intel-rapl:0:0', 'intel-rapl:1', 'intel-rapl:2'])
    count(zone, 3_500_000)
  expect(meter?.millijoules()).toBe(5_000)
  expect(meter?.millijoules()).toBe(5_000)
})

test('a counter that has gone round goes on', () => {
  const { folder, count } = tree()
  count('intel-rapl:0', RANGE - 1_000)
  const meter = openRaplMeter(folder)
  count('intel-rapl:0', 2_000)
  expect(meter?.millijoules()).toBe(3)
})

test.each(['', 'many', '-1', '1.5'])('a count of %j is unknown, not zero', (text) => {
  const { folder, count } = tree()
  const meter = openRaplMeter(folder)
  count('intel-rapl:1', text)
  expect(meter?.millijoules()).toBeNull()
  expect(openRaplMeter(folder)).toBeNull()
})

test('where there is no powercap, or no package, there is no meter', () => {
  const { folder } = tree()
  expect(openRaplMeter(join(folder, 'nowhere'))).toBeNull()
  for (const zone of ['intel-rapl:0', 'intel-rapl:1']) writeFileSync(join(folder, zone, 'name'), 'psys\n')
  expect(openRaplMeter(folder)).toBeNull()
})
