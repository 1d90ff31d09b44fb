import { AddressError, parseAddress } from '../../anchor/address.ts'
import type { NetworkName } from '../../anchor/network.ts'

/** The output script of an address from the log; null where it can't be paid. */
export function scriptOf(address: string, network: NetworkName): Uint8Array | null {
  try {
    return parseAddress(address, network).script
  } catch (error) {
    if (error instanceof AddressError) return null
    throw error
  }
}

/** Whether an output pays to `script`. */
export function paysTo(output: { readonly script: Uint8Array }, script: Uint8Array | null): boolean {
  return script !== null && Buffer.compare(output.script, script) === 0
}
