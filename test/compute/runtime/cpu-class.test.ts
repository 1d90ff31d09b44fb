import { describe, expect, test } from 'vitest'
import { cpuClass } from '../../../compute/runtime/cpu-class.ts'

const V2 = 'cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3'
const V3 = `${V2} avx avx2 bmi1 bmi2 f16c fma abm movbe xsave`
const cpuinfo = (flags: string) =>
  `processor\t: 0\nvendor_id\t: any\nflags\t\t: fpu ${flags}\nbugs\t\t: avx2\n`

describe('cpuClass', () => {
  test.each([
    ['x86-64-v3', V3],
    ['x86-64-v3', `${V3} avx512f avx512bw avx512cd avx512dq avx512vl`],
    ['x86-64-v2', V2],
    ['x86-64-v1', 'sse sse2'],
  ])('%s for flags %s', (expected, flags) => {
    expect(cpuClass('x64', cpuinfo(flags))).toBe(expected)
  })

  test.each(V3.split(' '))('no v3 without %s', (flag) => {
    const flags = V3.split(' ').filter((one) => one !== flag)
    expect(cpuClass('x64', cpuinfo(flags.join(' ')))).not.toBe('x86-64-v3')
  })

  test('claims no class where the system does not list its features', () => {
    expect(cpuClass('x64', '')).toBe('x86-64-unknown')
  })

  test('names other architectures as they are', () => {
    expect(cpuClass('arm64', 'Features\t: fp asimd\n')).toBe('arm64')
  })
})
