/** Millisatoshis as satoshis with three decimals. */
export function formatMsat(msat: bigint): string {
  const sign = msat < 0n ? '-' : ''
  const digits = (msat < 0n ? -msat : msat).toString().padStart(4, '0')
  return `${sign}${digits.slice(0, -3)}.${digits.slice(-3)}`
}
