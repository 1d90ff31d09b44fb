/** What a subnet counts when the budget is divided: nobody outside can recheck private work, so that it lives on fees alone. */
export function subsidyWeight({
  privacy,
  weight,
}: {
  privacy: 'public' | 'private'
  weight: number
}): bigint {
  return privacy === 'private' ? 0n : BigInt(weight)
}
