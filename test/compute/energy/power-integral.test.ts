import { expect, test } from 'vitest'
import { energyBetween } from '../../../compute/energy/energy-meter.ts'
import { createPowerIntegral } from '../../../compute/energy/power-integral.ts'

test('each reading holds until the next one, and the last until now', () => {
  const integral = createPowerIntegral()
  expect(integral.millijoules(0)).toBeNull()
  integral.add(100, 1_000)
  expect(integral.millijoules(1_000)).toBe(0)
  integral.add(50, 1_100)
  expect(integral.millijoules(1_100)).toBe(10_000)
  expect(integral.millijoules(1_110)).toBe(10_500)
  integral.add(0, 1_120)
  expect(integral.millijoules(1_200)).toBe(11_000)
})

test('a device that once did not know is unknown from then on', () => {
  const integral = createPowerIntegral()
  integral.add(100, 0)
  integral.add(null, 100)
  integral.add(100, 200)
  expect(integral.millijoules(200)).toBeNull()
})

test('readings that have stopped say nothing of now', () => {
  const integral = createPowerIntegral()
  integral.add(100, 0)
  expect(integral.millijoules(5_000)).toBe(500_000)
  expect(integral.millijoules(5_001)).toBeNull()
})

test.each([
  [0, 10.4, 1, 10],
  [5, 11, 2, 3],
  [5, 5, 1, 0],
  [null, 5, 1, null],
  [5, null, 1, null],
])('from %s to %s, shared by %i: %s', (before, after, share, energy) => {
  expect(energyBetween(before, after, share)).toBe(energy)
})
