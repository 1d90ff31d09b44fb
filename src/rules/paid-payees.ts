/**
 * Positions, ascending, of the payees whom a transaction pays, whoever made it: script and amount are theirs.
 * Each output pays one of them, wherever it stands.
 */
export function paidPayees(
  outputs: readonly { readonly script: Uint8Array; readonly value: bigint }[],
  /** `script`: null where the address is none. */
  payees: readonly { readonly script: Uint8Array | null; readonly sats: bigint }[],
): number[] {
  const left = [...outputs]
  return payees.flatMap(({ script, sats }, position) => {
    const at = left.findIndex(
      (output) => output.value === sats && script !== null && Buffer.compare(output.script, script) === 0,
    )
    if (at === -1) return []
    left.splice(at, 1)
    return [position]
  })
}
