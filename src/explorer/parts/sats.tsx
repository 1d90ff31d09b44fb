import { formatMsat } from '../format.ts'

export function Sats({ msat }: { msat: bigint }) {
  return (
    <>
      {formatMsat(msat)} <span class="unit">sat</span>
    </>
  )
}
