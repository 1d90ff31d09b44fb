import { expect, test } from 'vitest'
import { checkHeaderChain } from '../../../anchor/header-chain.ts'
import { encodeAnchorsFile, parseAnchorsFile } from '../../../src/audit/anchors-file.ts'
import { checkAnchorChain } from '../../../src/audit/check-anchor-chain.ts'
import vectors from '../../vectors/anchors-file.json' with { type: 'json' }

const fromHex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))

test.each(vectors.files)('the $method vector is a chain of seals, and is written as it is read', (vector) => {
  const file = parseAnchorsFile(fromHex(vector.file))
  const { headerAt } = checkHeaderChain(fromHex(vector.headers), 'regtest')
  expect(checkAnchorChain(file, { headerAt })).toMatchObject({ ok: true, break: null, ...vector.report })
  expect(Buffer.from(encodeAnchorsFile(file)).toString('hex')).toBe(vector.file)
})
