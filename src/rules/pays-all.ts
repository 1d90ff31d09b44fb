/**
 * Whether a transaction's outputs begin with a payout's payees, each its amount: then it is the payment, whoever made it, and
 * nobody is owed it again.
 */
export function paysAll(
  outputs: readonly { readonly script: Uint8Array; readonly value: bigint }[],
  /** `script`: null where the address is none. */
  payees: readonly { readonly script: Uint8Array | null; readonly sats: bigint }[],
): boolean {
  return payees.every(({ script, sats }, i) => {
    const output = outputs[i]
    return output?.value === sats && script !== null && Buffer.compare(output.script, script) === 0
  })
}
