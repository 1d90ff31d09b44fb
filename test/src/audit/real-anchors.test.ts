import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Command } from 'commander'
import express from 'express'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { checkHeaderChain } from '../../../anchor/header-chain.ts'
import { openNode } from '../../../anchor/node.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { anchorsRoutes } from '../../../src/api/anchors-routes.ts'
import { openKeptAnswers } from '../../../src/api/kept-answers.ts'
import { type Listening, listen } from '../../../src/api/listen.ts'
import { logRoutes } from '../../../src/api/log-routes.ts'
import { problemHandler } from '../../../src/api/problem.ts'
import { encodeAnchorsFile, parseAnchorsFile } from '../../../src/audit/anchors-file.ts'
import { anchorsOf } from '../../../src/audit/anchors-of.ts'
import { fetchAnchors } from '../../../src/audit/fetch-anchors.ts'
import { addAudit } from '../../../src/cli/commands/audit.ts'
import { addLog } from '../../../src/cli/commands/log.ts'
import { EXIT } from '../../../src/cli/exit-code.ts'
import { askCoordinator } from '../../../src/client/ask-coordinator.ts'
import { fetchHeaders } from '../../../src/client/fetch-headers.ts'
import { noteSigner } from '../../../src/log/note-signer.ts'
import { tilePath } from '../../../src/log/tile.ts'
import { openSite, type Site } from '../coordinator/site.ts'
import { headOf } from '../monitor/memory-log.ts'

let node: RegtestNode
let site: Site
let listening: Listening
let folder: string
let troubles: unknown[]

beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node, { flags: { 'anchor.everyBlocks': '1' } })
  for (let i = 0; i < 3; i += 1) {
    await site.peer()
    await site.anchorAll()
  }
  troubles = []
  const app = express()
  const coordinator = site.coordinator()
  app.use(anchorsRoutes(coordinator), logRoutes(coordinator, openKeptAnswers(coordinator.books.db)))
  app.use(problemHandler((error) => troubles.push(error)))
  listening = await listen(app, { host: '127.0.0.1', port: 0 })
  folder = mkdtempSync(join(tmpdir(), 'assay-audit-'))
  writeFileSync(join(folder, 'headers.bin'), await fetchHeaders(openNode(node.rpc, 'regtest')))
  mirrorLog(join(folder, 'mirror'))
})
afterAll(async () => {
  await listening?.[Symbol.asyncDispose]()
  await site?.[Symbol.asyncDispose]()
  await node?.stop()
  if (folder !== undefined) rmSync(folder, { recursive: true })
})
afterEach(() => {
  process.exitCode = undefined
})

/** The log's public files as they are now. */
function mirrorLog(target: string): void {
  const { log } = site.coordinator().books
  const width = log.size()
  const bundle = join(target, tilePath({ level: 'entries', n: 0, width }))
  mkdirSync(dirname(bundle), { recursive: true })
  writeFileSync(bundle, log.entryBundle(0, width))
  writeFileSync(join(target, 'checkpoint'), log.checkpoint())
}

/** One command line in this process: what it prints under --json, and its exit code. */
async function assay(...args: string[]) {
  const program = new Command('assay').exitOverride()
  addAudit(program)
  addLog(program)
  for (const command of program.commands.flatMap(({ commands }) => [...commands])) command.exitOverride()
  const written: string[] = []
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  process.exitCode = undefined
  try {
    await program.parseAsync(args, { from: 'user' })
  } finally {
    spy.mockRestore()
  }
  const text = written.join('')
  return {
    exitCode: process.exitCode ?? EXIT.ok,
    text,
    json: args.includes('--json') ? JSON.parse(text) : null,
  }
}

const file = (name: string) => join(folder, name)
const logKey = () => site.coordinator().books.log.verifierKey
const chain = () => ['--bitcoind-url', node.rpcUrl, '--cookie-file', node.cookieFile]

test('a running coordinator is audited from genesis to its unspent seal, by its URL and a node', async () => {
  const args = ['audit', 'anchors', '--url', listening.url, ...chain(), '--log-key', logKey(), '--json']
  const { json, exitCode } = await assay(...args, '--save', file('anchors.bin'))
  expect(json.checks.filter(({ ok }: { ok: boolean }) => ok !== true)).toEqual([])
  expect(json).toMatchObject({ ok: true, complete: true, break: null, network: 'regtest', method: 'dual' })
  expect(json.anchors).toBeGreaterThanOrEqual(3)
  expect(json.size).toBe(site.coordinator().books.log.size())
  expect(exitCode).toBe(EXIT.ok)
  expect(parseAnchorsFile(readFileSync(file('anchors.bin'))).anchors.length).toBe(json.anchors)
  expect(troubles).toEqual([])
})

test('offline, anchors, headers and a mirror of the log suffice', async () => {
  writeFileSync(file('anchors.bin'), encodeAnchorsFile(await fetchAnchors(listening.url)))
  const offline = ['audit', 'anchors', '--anchors', file('anchors.bin'), '--headers', file('headers.bin')]
  const { text, exitCode } = await assay(...offline, '--log', file('mirror'))
  expect(text).toContain('✓ append_only')
  expect(text).toContain('– last_seal     not checked: no node was asked')
  expect(text).toContain('No break from genesis to the seal')
  expect(exitCode).toBe(EXIT.ok)
  expect((await assay(...offline)).text).toContain('– append_only   not checked: no log was given')
})

test('a break is named, and makes the exit code', async () => {
  const anchors = await fetchAnchors(listening.url)
  writeFileSync(file('gap.bin'), encodeAnchorsFile({ ...anchors, anchors: anchors.anchors.toSpliced(1, 1) }))
  const { text, exitCode } = await assay('audit', 'anchors', '--anchors', file('gap.bin'), ...chain())
  expect(text).toContain('BROKEN at anchor 1 (index_gap): anchor 2 stands where anchor 1 is due')
  expect(exitCode).toBe(EXIT.checkFailed)
})

test('an old file is told from a whole one by the seal that the chain has spent', async () => {
  const anchors = await fetchAnchors(listening.url)
  writeFileSync(file('old.bin'), encodeAnchorsFile({ ...anchors, anchors: anchors.anchors.slice(0, -1) }))
  const { json, exitCode } = await assay(
    'audit',
    'anchors',
    '--anchors',
    file('old.bin'),
    ...chain(),
    '--json',
  )
  expect(json.break).toMatchObject({ code: 'seal_spent', anchor: null })
  expect(exitCode).toBe(EXIT.checkFailed)
})

test('a file whose genesis is none is a break, not an accident', async () => {
  writeFileSync(file('none.bin'), encodeAnchorsFile({ genesis: Buffer.from('x'), anchors: [] }))
  const { json } = await assay(
    'audit',
    'anchors',
    '--anchors',
    file('none.bin'),
    '--headers',
    '/nowhere',
    '--json',
  )
  expect(json).toMatchObject({ ok: false, network: null, break: { code: 'genesis_malformed' } })
})

test.each([
  [['audit', 'anchors'], 'anchors_not_given'],
  [['audit', 'anchors', '--anchors', '/nowhere/anchors.bin'], 'file_unreadable'],
  [['audit', 'anchors', '--url', 'http://x', '--anchors', 'y'], 'commander.conflictingOption'],
  [['log', 'verify', 'http://x'], 'commander.missingMandatoryOptionValue'],
])('%j is refused: %s', async (args, code) => {
  const quiet = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  await expect(assay(...args)).rejects.toMatchObject({ code })
  quiet.mockRestore()
})

test('without a chain to hold them against, anchors are not audited', async () => {
  await expect(assay('audit', 'anchors', '--url', listening.url)).rejects.toMatchObject({
    code: 'chain_not_given',
  })
})

test('anchors of regtest prove nothing to whoever brings other headers', async () => {
  writeFileSync(file('other.bin'), new Uint8Array(80))
  const args = ['audit', 'anchors', '--url', listening.url, '--headers', file('other.bin')]
  await expect(assay(...args)).rejects.toMatchObject({ code: 'header_genesis' })
})

test('anchors are shown from any index on, mined ones alone, and no further than asked', async () => {
  const { anchors } = await fetchAnchors(listening.url)
  const response = await askCoordinator(listening.url, '/v1/anchors?from=1')
  expect(response.headers.get('content-type')).toBe('application/cbor')
  const rest = parseAnchorsFile(new Uint8Array(await response.arrayBuffer()))
  expect(rest.anchors.map(({ index }) => index)).toEqual(anchors.slice(1).map(({ index }) => index))
  for (const from of ['-1', 'x', '1.5', '9007199254740992']) {
    const asked = askCoordinator(listening.url, `/v1/anchors?from=${from}`)
    await expect(asked, from).rejects.toMatchObject({ code: 'cursor_malformed', status: 400 })
  }
  const { log } = site.coordinator().books
  const records = site.house().anchorer.anchors()
  expect(anchorsOf(log, records, 2).anchors.map(({ index }) => index)).toEqual([0, 1])
  const unmined = records.map((one) => ({ ...one, height: null, header: null, branch: null }))
  expect(anchorsOf(log, unmined, 2).anchors).toEqual([])
})

test('a monitor pins the log at the first look, sees it grow, and finds that it only grew', async () => {
  const state = ['--state', file('log.json')]
  const first = await assay('log', 'verify', listening.url, ...state)
  expect(first.text).toContain('First look')
  expect(first.text).toContain(logKey())
  expect(first.text).toContain('Trusted on first use')
  await site.peer()
  const grown = await assay('log', 'verify', listening.url, ...state, '--log-key', logKey(), '--json')
  expect(grown).toMatchObject({ exitCode: EXIT.ok, json: { ok: true, code: 'grown', evidenceFile: null } })
  expect((await assay('log', 'verify', listening.url, ...state)).text).toContain('Append-only')
})

test('a monitor that finds a fork shows both signed heads, writes them down, and fails', async () => {
  const { log } = site.coordinator().books
  const state = ['--state', file('fork.json')]
  await assay('log', 'verify', listening.url, ...state)
  const others = Array.from({ length: log.size() }, (_, i) => Buffer.from(`another ${i}`))
  const served = headOf(others, noteSigner(site.origin, site.keys.logSeed))
  const app = express().get('/log/checkpoint', (_request, response) => void response.send(served))
  await using fork = await listen(app, { host: '127.0.0.1', port: 0 })
  const { text, exitCode } = await assay('log', 'verify', fork.url, ...state)
  expect(exitCode).toBe(EXIT.checkFailed)
  expect(text).toContain('BROKEN (split_view)')
  expect(text).toContain(log.checkpoint())
  expect(text).toContain(served)
  const { json } = await assay('log', 'verify', fork.url, ...state, '--json')
  const evidence = JSON.parse(readFileSync(json.evidenceFile, 'utf8'))
  expect(evidence).toMatchObject({
    code: 'split_view',
    kept: log.checkpoint(),
    served,
    verifierKey: logKey(),
  })
})

test('after a reorg that takes the last anchor away, the file of before is no longer in the chain', async () => {
  await site.peer()
  await site.anchorAll()
  const before = await fetchAnchors(listening.url)
  writeFileSync(file('before.bin'), encodeAnchorsFile(before))
  await node.reorg(1, 2, { empty: true })
  const headers = await fetchHeaders(openNode(node.rpc, 'regtest'))
  checkHeaderChain(headers, 'regtest')
  writeFileSync(file('after.bin'), headers)
  const { json } = await assay(
    'audit',
    'anchors',
    '--anchors',
    file('before.bin'),
    '--headers',
    file('after.bin'),
    '--json',
  )
  expect(json.break).toMatchObject({ code: 'header_unknown' })
  await site.coordinator().kick()
  await site.anchorAll()
  const { json: again } = await assay('audit', 'anchors', '--url', listening.url, ...chain(), '--json')
  expect(again).toMatchObject({ ok: true, break: null })
})
