import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { verifyProof } from '../../src/proof/verify-proof.ts'
import vectors from '../vectors/proof.json' with { type: 'json' }
import { verifyFromThePage } from './verify-from-the-page.ts'

/** The product makes every check even after one has failed, which takes its time. */
const STRIDE = 17
const fromHex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))

test('the verifier from the page uses nothing of the product', () => {
  const source = readFileSync(new URL('./verify-from-the-page.ts', import.meta.url), 'utf8')
  const imported = [...source.matchAll(/from '([^']+)'/g)].map(([, name]) => name)
  expect(imported).toEqual(['node:crypto', '@noble/curves/secp256k1.js'])
})

describe.each(vectors.proofs)('a $method proof', ({ proof, headers, report }) => {
  test('is what docs/PROTOCOL.md says that it is', () => {
    const { job: _, ...said } = report
    expect(verifyFromThePage(fromHex(proof), fromHex(headers))).toEqual(said)
  })

  test('with any one byte changed is refused by the page as by the product', async () => {
    const file = fromHex(proof)
    const chain = fromHex(headers)
    const headerAt = (height: number) => {
      const header = chain.subarray(80 * height, 80 * height + 80)
      return header.length === 80 ? header : null
    }
    const accepted: number[] = []
    for (let at = 0; at < file.length; at += 1) {
      const changed = file.with(at, (file[at] ?? 0) ^ 1)
      const own = attempt(() => verifyFromThePage(changed, chain))
      if (own) accepted.push(at)
      if (at % STRIDE !== 0) continue
      const { existed } = await verifyProof(changed, { headerAt })
      expect(own, `byte ${at}`).toBe(existed)
    }
    // Nothing in a proof is without meaning.
    expect(accepted).toEqual([])
  })

  test('cut short, lengthened or against another chain is refused', () => {
    const file = fromHex(proof)
    expect(attempt(() => verifyFromThePage(file.subarray(0, -1), fromHex(headers)))).toBe(false)
    expect(attempt(() => verifyFromThePage(Uint8Array.of(...file, 0), fromHex(headers)))).toBe(false)
    expect(attempt(() => verifyFromThePage(file, fromHex(headers).fill(1, 80)))).toBe(false)
  })
})

function attempt(act: () => unknown): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}
