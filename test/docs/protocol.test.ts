import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CHECK_NAMES } from '../../src/proof/proof-report.ts'
import { documentAt, ROOT, sectionOf, tableRows } from './documents.ts'

const protocol = documentAt('docs/PROTOCOL.md')

function rowsOf(heading: string): string[][] {
  return tableRows(sectionOf(protocol, heading))
}

test('every kind of entry has a row with every key that it holds', () => {
  const source = readFileSync(join(ROOT, 'src/log/entry.ts'), 'utf8')
  const kinds = [...source.matchAll(/entryOf\('([a-z]+)'/g)].map(([, kind = '']) => kind)
  // A kind with several forms has a row for each.
  const rows = new Map<string, string>()
  for (const [first = '', keys = ''] of rowsOf('### Entries')) {
    const kind = first.slice(1, -1)
    rows.set(kind, `${rows.get(kind) ?? ''}${keys}`)
  }
  expect(kinds.length).toBeGreaterThan(0)
  expect([...rows.keys()]).toEqual(expect.arrayContaining(kinds))

  const { entries }: { entries: { entry: Record<string, unknown> & { kind: string } }[] } = JSON.parse(
    readFileSync(join(ROOT, 'test/vectors/entry.json'), 'utf8'),
  )
  expect(new Set(entries.map(({ entry }) => entry.kind))).toEqual(new Set(kinds))
  for (const { entry } of entries) {
    const keys = Object.keys(entry).filter((key) => key !== 'v' && key !== 'kind')
    for (const key of keys) expect(rows.get(entry.kind), `${entry.kind}.${key}`).toContain(`\`${key}\``)
  }
})

test('every check of a proof has a row, in the order of the report', () => {
  const names = rowsOf('## 5. Proof').flatMap(([first = '']) => /^`(\w+)`$/.exec(first)?.[1] ?? [])
  expect(names).toEqual(CHECK_NAMES)
})

test('every test vector is listed, and nothing else', () => {
  const listed = rowsOf('## 8. Test vectors').flatMap(
    ([first = '']) => /^`(test\/vectors\/.+)`$/.exec(first)?.[1] ?? [],
  )
  expect(listed.sort()).toEqual(globSync('test/vectors/*', { cwd: ROOT }).sort())
})
