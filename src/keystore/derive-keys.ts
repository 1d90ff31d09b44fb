/**
 * Every key of a coordinator comes from one mnemonic, by paths that any wallet can follow:
 *
 *   anchor    m/86'/coin'/0'/0/0                     BIP-86, the hot key of the seals
 *   treasury  m/86'/coin'/1'/0/0                     BIP-86, an account apart: fees never spend rewards
 *   deposits  m/86'/coin'/1'/0/1 and up              the same account: one address for each requester
 *   auditor   m/83696968'/128169'/32'/(2·coin)'      BIP-85 hex, 32 bytes
 *   log       m/83696968'/128169'/32'/(2·coin + 1)'  BIP-85 hex, 32 bytes: an Ed25519 seed (RFC 8032)
 *   proctors  m/83696968'/128169'/64'/coin'             BIP-85 hex, 64 bytes: the seed of proctor-key.ts
 *
 * BIP-85's children tell nothing of their siblings or of the mnemonic. Its index carries the coin type, so that a test
 * network's log never signs with the key of the real one.
 */
import assert from 'node:assert'
import { createHmac } from 'node:crypto'
import { xOnlyPointFromScalar } from '@bitcoinerlab/secp256k1'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { type NetworkName, networkOf } from '../../anchor/network.ts'

/** Version bytes of extended keys (BIP-32): xpub and xprv; of test networks, tpub and tprv. */
const MAINNET_VERSIONS = { public: 0x0488_b21e, private: 0x0488_ade4 }
const TEST_VERSIONS = { public: 0x0435_87cf, private: 0x0435_8394 }

/** `internalKey`: x-only public key, untweaked, as BIP-341 names it. */
interface TaprootKey {
  readonly secretKey: Uint8Array
  readonly internalKey: Uint8Array
}

/** A wallet that has gone so far needs no second look: BIP-44's gap is 20, and bitcoind watches these all from the start. */
export const MAX_DEPOSIT_KEYS = 1_000

/** Of the treasury account's receiving chain (BIP-32): requester *n*, from 1, has its child *n*. */
interface DepositKeys {
  /** In the network's own version, as bitcoind reads it. */
  readonly extendedPublicKey: string
  readonly extendedSecretKey: string
}

export interface Keys {
  readonly anchor: TaprootKey
  readonly treasury: TaprootKey
  readonly deposits: DepositKeys
  /** BIP-340, as every auditor's. */
  readonly auditor: { readonly secretKey: Uint8Array; readonly publicKey: Uint8Array }
  /** 32 bytes, Ed25519. */
  readonly logSeed: Uint8Array
  /** 64 bytes: of the keys that the operator plants fails under. */
  readonly proctorSeed: Uint8Array
}

/** `mnemonic`: valid BIP-39 words. No BIP-39 passphrase is used: the keystore has its own. */
export function deriveKeys(mnemonic: string, network: NetworkName): Keys {
  const root = HDKey.fromMasterSeed(mnemonicToSeedSync(mnemonic))
  const { coinType } = networkOf(network)
  const auditorSecretKey = bip85Entropy(root, 32, 2 * coinType)
  return {
    anchor: taprootKey(root, `m/86'/${coinType}'/0'/0/0`),
    treasury: taprootKey(root, `m/86'/${coinType}'/1'/0/0`),
    deposits: depositKeys(root.derive(`m/86'/${coinType}'/1'/0`), network),
    auditor: { secretKey: auditorSecretKey, publicKey: xOnlyPointFromScalar(auditorSecretKey) },
    logSeed: bip85Entropy(root, 32, 2 * coinType + 1),
    proctorSeed: bip85Entropy(root, 64, coinType),
  }
}

/** The key of a requester's own address. */
export function depositKey({ extendedSecretKey }: DepositKeys, number: number): TaprootKey {
  assert(Number.isSafeInteger(number) && number >= 1 && number <= MAX_DEPOSIT_KEYS)
  return taprootKey(HDKey.fromExtendedKey(extendedSecretKey), `m/${number}`)
}

/** BIP-85, application 128169' (hex): `bytes` bytes, 16 to 64. */
export function bip85Entropy(root: HDKey, bytes: number, index: number): Uint8Array {
  assert(bytes >= 16 && bytes <= 64)
  const child = root.derive(`m/83696968'/128169'/${bytes}'/${index}'`)
  assert(child.privateKey !== null)
  const entropy = createHmac('sha512', 'bip-entropy-from-k').update(child.privateKey).digest()
  return Uint8Array.from(entropy.subarray(0, bytes))
}

function depositKeys(chain: HDKey, network: NetworkName): DepositKeys {
  const { publicKey, chainCode, privateExtendedKey } = chain
  assert(publicKey !== null && chainCode !== null)
  const versions = network === 'mainnet' ? MAINNET_VERSIONS : TEST_VERSIONS
  const { publicExtendedKey } = new HDKey({ versions, publicKey, chainCode })
  return { extendedPublicKey: publicExtendedKey, extendedSecretKey: privateExtendedKey }
}

function taprootKey(root: HDKey, path: string): TaprootKey {
  const { privateKey, publicKey } = root.derive(path)
  assert(privateKey !== null && publicKey !== null)
  return { secretKey: Uint8Array.from(privateKey), internalKey: Uint8Array.from(publicKey.subarray(1)) }
}
