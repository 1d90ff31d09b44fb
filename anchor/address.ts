import { Address, OutScript } from '@scure/btc-signer'
import { NETWORK_NAMES, type NetworkName, networkOf } from './network.ts'
import { dustSatsOf } from './payable-script.ts'

export class AddressError extends Error {
  override readonly name = 'AddressError'
  readonly code: 'address_invalid' | 'address_wrong_network'

  constructor(code: AddressError['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/** BIP-173 allows 90 characters; base58 addresses are shorter. */
const MAX_ADDRESS_CHARACTERS = 90

/**
 * The output script of an address, and the least that may be paid to it. P2PKH, P2SH, P2WPKH, P2WSH and P2TR
 * (with a key on the curve) are paid; whatever else has an address today could be spent by anyone, or by
 * nobody. Test networks share their prefixes, so an address of one is an address of another. Throws AddressError.
 */
export function parseAddress(text: string, network: NetworkName): { script: Uint8Array; dustSats: bigint } {
  if (text.length > MAX_ADDRESS_CHARACTERS) {
    throw new AddressError('address_invalid', `address: more than ${MAX_ADDRESS_CHARACTERS} characters`)
  }
  try {
    return payable(text, network)
  } catch (cause) {
    const home = NETWORK_NAMES.find((name) => isAddressOf(text, name))
    if (home === undefined) {
      throw new AddressError(
        'address_invalid',
        `not an address that can be paid: ${JSON.stringify(text)}`,
        cause,
      )
    }
    throw new AddressError('address_wrong_network', `${text} belongs to ${home}, not to ${network}`, cause)
  }
}

/** Twice what a payout of 10,000 payees needs, which asks for each of them at every step: what an address means stays. */
const MAX_KNOWN = 20_000
const known = new Map<string, { script: Uint8Array; dustSats: bigint }>()

function payable(text: string, network: NetworkName): { script: Uint8Array; dustSats: bigint } {
  const name = `${network} ${text}`
  const found = known.get(name) ?? decode(text, network)
  if (known.size >= MAX_KNOWN) known.clear()
  known.set(name, found)
  return found
}

function decode(text: string, network: NetworkName): { script: Uint8Array; dustSats: bigint } {
  const script = OutScript.encode(Address(networkOf(network).scure).decode(text))
  const dustSats = dustSatsOf(script)
  if (dustSats === null) throw new Error('a form that is not paid')
  return { script, dustSats }
}

function isAddressOf(text: string, network: NetworkName): boolean {
  try {
    payable(text, network)
    return true
  } catch {
    return false
  }
}
