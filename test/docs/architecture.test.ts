import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { documentAt, ROOT, tableRows } from './documents.ts'

const architecture = documentAt('docs/ARCHITECTURE.md')
const firstCells = tableRows(architecture).map(([first = '']) => first)

test('every room has a row that says what it does', () => {
  const rooms = globSync(['src/*', 'compute/*'], { cwd: ROOT }).filter((path) => {
    return (
      statSync(join(ROOT, path)).isDirectory() && globSync('**/*.ts', { cwd: join(ROOT, path) }).length > 0
    )
  })
  for (const room of [...rooms, 'anchor', 'regtest']) expect(firstCells).toContain(`\`${room}/\``)
})

test('every dependency has a row with its reason', () => {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  )
  const names = firstCells.flatMap((cell) => cell.replace(' (optional)', '').split(', '))
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...devDependencies })) {
    expect(names).toContain(name)
  }
})
