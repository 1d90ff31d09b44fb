import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')
/** What needs a native build, a node or a server: an auditor's install does without. */
const FORBIDDEN = ['onnxruntime-node', 'better-sqlite3', 'bitcoin-core', 'zeromq', 'express']

/** Statements that load a module when they run: type-only ones are erased. */
const IMPORT = /^\s*(?:import|export)\s(?!type\b)(?:[^'";]*?\bfrom\s)?\s*'([^']+)'|\bimport\('([^']+)'\)/gm

function importsOf(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '')
}

function reachable(folder: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const entrances = readdirSync(join(ROOT, folder)).map((name) => join(ROOT, folder, name))
  for (const queue = entrances; queue.length > 0; ) {
    const path = queue.pop() ?? ''
    if (files.has(path)) continue
    files.add(path)
    for (const name of importsOf(path)) {
      if (name.startsWith('.')) queue.push(join(dirname(path), name))
      else packages.add(name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
    }
  }
  return { files, packages }
}

test('checking a proof loads no ONNX Runtime, database, node client or server', () => {
  const { files, packages } = reachable('src/proof')
  for (const name of FORBIDDEN) expect(packages).not.toContain(name)
  expect(files).toContain(join(ROOT, 'anchor/merkle-branch.ts'))
  // One path needs no native hasher: the same files run in a browser.
  expect(packages).not.toContain('@chainsafe/hashtree')
  expect(packages).toContain('@ipld/dag-cbor')
  expect(packages).toContain('bitcoinjs-lib')
})

test.each(['src/audit', 'src/monitor', 'src/replay'])(
  '%s loads no ONNX Runtime, database or server, and nothing of the coordinator',
  (folder) => {
    const { files, packages } = reachable(folder)
    for (const name of FORBIDDEN) if (name !== 'bitcoin-core') expect(packages).not.toContain(name)
    const operators = [...files].filter((file) => file.startsWith(join(ROOT, 'src/coordinator/')))
    expect(operators).toEqual([])
    expect(files.size).toBeGreaterThan(10)
  },
)

test('the walk sees what it should refuse', () => {
  expect(importsOf(join(ROOT, 'anchor/rpc.ts'))).toContain('bitcoin-core')
})
