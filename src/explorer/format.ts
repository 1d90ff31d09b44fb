/** Numbers and names as people read them. */
const whole = new Intl.NumberFormat('en-US')
const MSAT_PER_SAT = 1_000n

export function formatCount(value: number | bigint): string {
  return whole.format(value)
}

/** Millisatoshis as satoshis: whole ones grouped, a fraction only where there is one. */
export function formatMsat(msat: bigint): string {
  const sign = msat < 0n ? '−' : ''
  const size = msat < 0n ? -msat : msat
  const fraction = size % MSAT_PER_SAT
  const sats = `${sign}${whole.format(size / MSAT_PER_SAT)}`
  return fraction === 0n ? sats : `${sats}.${String(fraction).padStart(3, '0')}`
}

/** For charts, which draw nothing as 0. */
export function satsOf(msat: bigint | null): number {
  return Number(msat ?? 0n) / Number(MSAT_PER_SAT)
}

/** UTC to the minute, as block times deserve no more. */
export function formatTime(unixSeconds: number): string {
  return `${new Date(unixSeconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

const BYTE_UNITS = ['bytes', 'kB', 'MB', 'GB'] as const

export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), BYTE_UNITS.length - 1)
  const value = bytes / 1000 ** power
  return `${power === 0 ? value : value.toPrecision(3)} ${BYTE_UNITS[power]}`
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${formatCount(value)} ${value === 1 ? one : many}`
}
