import assert from 'node:assert/strict'
import { drawNumber } from './draw-number.ts'

/**
 * Ranks keys for one subject, highest H(subject ‖ key) first (rendezvous hashing, Thaler and Ravishankar 1998):
 * the order in which keys are listed plays no part, and taking a key away leaves the order of the others.
 */
export function rankForSubject(subject: Uint8Array, keys: Uint8Array[]): Uint8Array[] {
  return keys
    .map((key) => {
      assert.equal(key.length, 32, 'a key has 32 bytes')
      return { key, draw: drawNumber(subject, key) }
    })
    .sort((a, b) => (a.draw === b.draw ? 0 : a.draw > b.draw ? -1 : 1))
    .map(({ key }) => key)
}
