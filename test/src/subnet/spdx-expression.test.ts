import { expect, test } from 'vitest'
import { spdxExpression } from '../../../src/subnet/spdx-expression.ts'

test.each([
  'MIT',
  'GPL-2.0-only WITH Classpath-exception-2.0',
  'GPL-2.0+',
  'MIT OR Apache-2.0 AND CC0-1.0',
  '(MIT OR (Apache-2.0 AND BSD-3-Clause)) AND Zlib',
  'LicenseRef-ours',
  'DocumentRef-model.spdx:LicenseRef-ours',
  'M'.repeat(64),
])('%s is a licence', (text) => {
  expect(spdxExpression.parse(text)).toBe(text)
})

test.each([
  '',
  ' ',
  'Apache 2.0',
  'MIT and Zlib',
  'MIT AND',
  'OR MIT',
  'MIT AND OR Zlib',
  'MIT WITH',
  'MIT WITH OR',
  'MIT WITH a WITH b',
  '(MIT OR Zlib) WITH Classpath-exception-2.0',
  'MIT WITH Classpath-exception-2.0+',
  '(MIT',
  'MIT)',
  '()',
  '(MIT) (Zlib)',
  'MIT/Zlib',
  'MIT, Zlib',
  'MIT\nZlib',
  'MIT\tOR\tZlib',
  'GPL-2.0++',
  '+',
  'LicenseRef-',
  'LicenseRef-ours+',
  'DocumentRef-ours',
  'DocumentRef-:LicenseRef-ours',
  'NONE',
  'NOASSERTION OR MIT',
  'Lizenz-für-alle',
  'M'.repeat(65),
  '('.repeat(64),
])('%j is none', (text) => {
  expect(spdxExpression.safeParse(text).success).toBe(false)
})
