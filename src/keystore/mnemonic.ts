import { entropyToMnemonic, generateMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { KeystoreError } from './keystore-error.ts'

/** 24 words (BIP-39), as strong as the keys that come of them. */
const MNEMONIC_BITS = 256

/** 24 random words, to be shown once and written down: they restore every key of a keystore. */
export function newMnemonic(): string {
  return generateMnemonic(wordlist, MNEMONIC_BITS)
}

/** The 32 bytes that 24 English BIP-39 words encode. Throws KeystoreError `mnemonic_invalid`. */
export function parseMnemonic(text: string): Uint8Array {
  const words = text.trim().toLowerCase().split(/\s+/)
  try {
    const entropy = mnemonicToEntropy(words.join(' '), wordlist)
    if (entropy.length === MNEMONIC_BITS / 8) return entropy
  } catch {
    // The library's message may quote a word of the secret, so it is not kept as the cause.
  }
  throw new KeystoreError(
    'mnemonic_invalid',
    `a mnemonic is 24 English BIP-39 words with a right checksum, got ${words.length} words`,
  )
}

export function formatMnemonic(entropy: Uint8Array): string {
  return entropyToMnemonic(entropy, wordlist)
}
