// Feature levels of the x86-64 psABI (gitlab.com/x86-psABIs/x86-64-ABI, "Micro-Architecture Levels"), in the names of /proc/cpuinfo.
const V2 = ['cx16', 'lahf_lm', 'popcnt', 'pni', 'sse4_1', 'sse4_2', 'ssse3']
const V3 = [...V2, 'avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe', 'xsave']

/**
 * The class of CPUs whose `exact` outputs are equal, from `process.arch` and the text of /proc/cpuinfo ('' where there is none).
 * A v4 machine says v3: with optimisation disabled AVX-512 gave the bits of AVX2 in every case tried, while without FMA and AVX2
 * nearly all differ.
 */
export function cpuClass(arch: string, cpuinfo: string): string {
  if (arch !== 'x64') return arch
  const flags = new Set(/^flags\s*:\s*(.*)$/m.exec(cpuinfo)?.[1]?.split(' '))
  if (flags.size === 0) return 'x86-64-unknown'
  if (V3.every((flag) => flags.has(flag))) return 'x86-64-v3'
  if (V2.every((flag) => flags.has(flag))) return 'x86-64-v2'
  return 'x86-64-v1'
}
