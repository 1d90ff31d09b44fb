import assert from 'node:assert/strict'
import { hash } from 'node:crypto'

/**
 * Ranks keys for one subject, highest H(subject ‖ key) first (rendezvous hashing, Thaler and Ravishankar 1998):
 * the order in which keys are listed plays no part, and taking a key away leaves the order of the others.
 */
export function rankForSubject(subject: Uint8Array, keys: readonly Uint8Array[]): Uint8Array[] {
  const drawOf = drawFor(subject)
  return keys
    .map((key) => ({ key, draw: drawOf(key) }))
    .sort((a, b) => (a.draw === b.draw ? 0 : a.draw > b.draw ? -1 : 1))
    .map(({ key }) => key)
}

/** The first of that ranking, or null where there is no key: without sorting, since every worker stands for every item. */
export function firstForSubject(subject: Uint8Array, keys: readonly Uint8Array[]): Uint8Array | null {
  const drawOf = drawFor(subject)
  let first: Uint8Array | null = null
  let highest = ''
  for (const key of keys) {
    const draw = drawOf(key)
    if (first !== null && draw <= highest) continue
    first = key
    highest = draw
  }
  return first
}

/** In hex: strings of one length are in the order of their numbers. */
function drawFor(subject: Uint8Array): (key: Uint8Array) => string {
  const preimage = Buffer.concat([subject, Buffer.alloc(32)])
  return (key) => {
    assert(key.length === 32, 'a key has 32 bytes')
    preimage.set(key, subject.length)
    return hash('sha256', preimage, 'hex')
  }
}
