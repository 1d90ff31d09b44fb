import { beforeAll, describe, expect, test } from 'vitest'
import type { AnchorEvidence } from '../../../src/audit/anchors-file.ts'
import { checkAnchorChain } from '../../../src/audit/check-anchor-chain.ts'
import { type Chain, makeChain, mineHeader, withAnchor } from './synthetic-chain.ts'

let honest: Chain
beforeAll(async () => {
  honest = await makeChain()
})

describe('a lying chain breaks it', () => {
  const at = (index: number) => {
    const anchor = honest.file.anchors[index]
    if (anchor === undefined) throw new Error(`no anchor ${index}`)
    return anchor
  }

  test('header_unknown: the block is in another chain than the reader trusts, or above it', () => {
    for (const headerAt of [() => null, () => honest.reader.headerAt(4)]) {
      const report = checkAnchorChain(honest.file, { ...honest.reader, headerAt })
      expect(report.break).toMatchObject({ code: 'header_unknown', anchor: 0 })
    }
    const short = checkAnchorChain(honest.file, { ...honest.reader, headerAt: () => null })
    expect(short.break?.detail).toContain('newer headers may')
  })

  test('header_pow: the header has no work in it', () => {
    const { merkleRoot, before } = { merkleRoot: at(1).header.slice(36, 68), before: at(0).header }
    const header = mineHeader(before, merkleRoot, false)
    const { headerAt: _none, ...reader } = honest.reader
    expect(checkAnchorChain(withAnchor(honest.file, 1, { header }), reader).break).toMatchObject({
      code: 'header_pow',
      anchor: 1,
    })
  })

  test.each<[string, () => Partial<AnchorEvidence>]>([
    ['another position', () => ({ branch: { ...at(1).branch, position: 0 } })],
    [
      'a sibling changed',
      () => ({
        branch: { ...at(1).branch, siblings: [new Uint8Array(32), ...at(1).branch.siblings.slice(1)] },
      }),
    ],
    [
      'a level too many',
      () => ({ branch: { ...at(1).branch, siblings: [...at(1).branch.siblings, new Uint8Array(32)] } }),
    ],
    [
      'too deep for a block',
      () => ({ branch: { position: 0, siblings: Array(32).fill(new Uint8Array(32)) } }),
    ],
    ["another anchor's", () => ({ branch: at(2).branch })],
  ])('branch_mismatch: %s', (_name, change) => {
    const report = checkAnchorChain(withAnchor(honest.file, 1, change()), honest.reader)
    expect(report.break).toMatchObject({ code: 'branch_mismatch', anchor: 1 })
  })

  test('height_order: an anchor below the one whose seal it spends', async () => {
    const { file, reader } = await makeChain({ heights: [3, 2, 4] })
    const report = checkAnchorChain(file, reader)
    expect(report.break).toMatchObject({ code: 'height_order', anchor: 1 })
    expect(report.checks.filter(({ ok }) => ok === false).length).toBe(1)
  })

  test('height_order: in one block, before the one whose seal it spends', async () => {
    const { file, reader } = await makeChain({ heights: [1, 1, 2] })
    const [first, second] = [file.anchors[0], file.anchors[1]]
    if (first === undefined || second === undefined) throw new Error('two anchors')
    const swapped = { ...file, anchors: [second, first] }
    const report = checkAnchorChain(swapped, reader)
    expect(report.checks.find(({ name }) => name === 'heights')?.break).toMatchObject({
      code: 'height_order',
      anchor: 1,
    })
  })

  test('seal_spent: the chain of seals goes on where the file ends', () => {
    const report = checkAnchorChain(honest.file, { ...honest.reader, lastSealUnspent: false })
    expect(report.break).toMatchObject({ code: 'seal_spent', anchor: null })
  })
})
