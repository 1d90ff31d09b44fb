/** Above any GPU's: what is more is no reading of watts. */
const MAX_WATTS = 10_000

/** Watts in one line of `nvidia-smi --query-gpu=power.draw --format=csv,noheader,nounits`; null for `[N/A]` and all else. */
export function parsePowerLine(line: string): number | null {
  const text = line.trim()
  const watts = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  return watts <= MAX_WATTS ? watts : null
}
