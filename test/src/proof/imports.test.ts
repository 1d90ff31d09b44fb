import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')
const ENTRANCES = readdirSync(join(ROOT, 'src/proof')).map((name) => join(ROOT, 'src/proof', name))
/** What needs a native build, a node or a server: an auditor's install does without. */
const FORBIDDEN = ['onnxruntime-node', 'better-sqlite3', 'bitcoin-core', 'zeromq', 'express']

/** Statements that load a module when they run: type-only ones are erased. */
const IMPORT = /^\s*(?:import|export)\s(?!type\b)(?:[^'";]*?\bfrom\s)?\s*'([^']+)'|\bimport\('([^']+)'\)/gm

function importsOf(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '')
}

function reachable(): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>()
  const packages = new Set<string>()
  for (const queue = [...ENTRANCES]; queue.length > 0; ) {
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
  const { files, packages } = reachable()
  for (const name of FORBIDDEN) expect(packages).not.toContain(name)
  expect(files).toContain(join(ROOT, 'anchor/merkle-branch.ts'))
  expect(packages).toContain('@ipld/dag-cbor')
  expect(packages).toContain('bitcoinjs-lib')
})

test('the walk sees what it should refuse', () => {
  expect(importsOf(join(ROOT, 'anchor/rpc.ts'))).toContain('bitcoin-core')
})
