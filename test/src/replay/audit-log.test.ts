import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openNode } from '../../../anchor/node.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { type AnchorsFile, encodeAnchorsFile, parseAnchorsFile } from '../../../src/audit/anchors-file.ts'
import { SMALL_BLOBS } from '../../../src/blobs/blob-folder.ts'
import { openSmallBlobs } from '../../../src/blobs/small-blobs.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import { tilePath } from '../../../src/log/tile.ts'
import { type LogSource, logAtUrl } from '../../../src/monitor/log-source.ts'
import { blobsAtUrl } from '../../../src/replay/blob-source.ts'
import { legacyOf } from '../../../src/replay/legacy.ts'
import { idOf, worksOf } from '../coordinator/peer.ts'
import { openSite, type Site } from '../coordinator/site.ts'
import { liveThrough, SAMPLED_MARKET } from './recorded-log.ts'

const CLI = fileURLToPath(new URL('../../../src/cli/assay.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'assay-replay-'))
const anchors = join(folder, 'anchors.bin')
const headers = join(folder, 'headers.bin')
const mirror = join(folder, 'mirror')
const blobs = join(folder, 'blobs')

let node: RegtestNode
let site: Site
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node, { subnets: [SAMPLED_MARKET] })
  await liveThrough(site, node)
  await assay('audit', 'anchors', '--url', site.url, ...theNode(), '--save', anchors)
  await assay('headers', ...theNode(), '--network', 'regtest', '--out', headers)
  await mirrorLog()
  cpSync(join(site.config.dataDir, 'blobs'), blobs, { recursive: true })
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('assay audit log', () => {
  test('recomputes a running coordinator against a node', async () => {
    const { exitCode, stdout } = await auditLog('--url', site.url, ...theNode())
    expect(exitCode).toBe(0)
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({ ok: true, first: null, missedAudits: [] })
    expect(report.rules.find(({ name }: { name: string }) => name === 'balances').checked).toBeGreaterThan(10)
  })

  test('recomputes a mirror offline', async () => {
    const { exitCode, stdout } = await auditLog(...theMirror())
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, entries: site.coordinator().books.log.size() })
  })

  test('holds anchors that are newer than the chain it is given against nothing, and says so', async () => {
    const last = parseAnchorsFile(readFileSync(anchors)).anchors.at(-1)
    if (last === undefined) throw new Error('the log has anchors')
    const older = join(folder, 'older-headers.bin')
    writeFileSync(older, readFileSync(headers).subarray(0, 80 * last.height))
    const args = ['--log', mirror, '--blobs', blobs, '--anchors', anchors, '--headers', older]
    const { exitCode, stdout } = await assay('audit', 'log', ...args)
    expect(stdout).toContain('\nanchors: the newest 1 are not in your chain of blocks so far')
    expect(stdout).toContain(`, up to block ${last.height - 1}.`)
    expect(exitCode).toBe(0)
  })

  test('tells people where a log differs first, and exits with 1', async () => {
    const { log } = site.coordinator().books
    const index = Array.from(log.entries(0, log.size()), parseEntry).findIndex(({ kind }) => kind === 'jobs')
    const jobs = parseEntry(log.entry(index))
    if (jobs.kind !== 'jobs') throw new Error('entries don’t change')
    const name = Buffer.from(jobs.jobs).toString('hex')
    const small = openSmallBlobs(join(blobs, SMALL_BLOBS))
    const bytes = small.get(name)
    if (bytes === null) throw new Error('a list of jobs is small')
    small.put([{ name, bytes: Uint8Array.from(bytes).fill(0, 10, 20) }])
    small.close()
    const { exitCode, stdout } = await assay('audit', 'log', ...theMirror())
    expect(exitCode).toBe(1)
    expect(stdout).toContain(`DIFFERS first at entry ${index} (jobs: blob_missing)`)
  })

  test('asks the chain itself whether the anchors are in it', async () => {
    const file = parseAnchorsFile(readFileSync(anchors))
    const moved = { ...file, anchors: file.anchors.map((one) => ({ ...one, height: one.height + 1 })) }
    const movedFile = join(folder, 'moved.bin')
    writeFileSync(movedFile, encodeAnchorsFile(moved))
    const { exitCode, stdout } = await auditLog(...theMirror(movedFile))
    expect(exitCode).toBe(1)
    const { rules } = JSON.parse(stdout)
    expect(rules.find(({ name }: { name: string }) => name === 'anchors')).toMatchObject({
      failed: 1,
      first: {
        code: 'header_unknown',
        detail: expect.stringMatching(/^anchor 0: block \d+ of the chain given/),
      },
    })
  })

  test('lists each audit that nobody did, and by whom it was due', async () => {
    await using idle = await openSite(node, { flags: { 'epoch.auditRoundBlocks': '100' } })
    const [worker, ...auditors] = await idle.begin(2)
    if (worker === undefined) throw new Error('one worker was asked for')
    const [work] = await worksOf(worker.work(undefined, 1))
    if (work === undefined) throw new Error('nothing was worked')
    await idle.mineUntil('the settlement', () => idle.status().epochs.some(({ settled }) => settled))
    const { exitCode, stdout } = await assay('audit', 'log', '--url', idle.url, ...theNode())
    expect(exitCode).toBe(1)
    expect(stdout).toContain('audits: 1 of 1 settled receipts had to be audited, 1 of them not in time')
    const keys = auditors.map(({ hex }) => hex).join('|')
    expect(stdout).toMatch(
      new RegExp(
        `\naudit missed by the operator: receipt ${idOf(work)} of entry \\d+, epoch 0; no verdict; due from (${keys})\n`,
      ),
    )
  })

  test.each([
    ['no log', [], 'anchors_not_given'],
    ['no blobs', ['--log', mirror, '--anchors', anchors, '--headers', headers], 'log_not_given'],
    ['no chain', ['--log', mirror, '--blobs', blobs, '--anchors', anchors], 'chain_not_given'],
    ['an anchors file that is not there', ['--anchors', join(folder, 'absent')], 'file_unreadable'],
  ])('refuses %s', async (_, args, code) => {
    const { exitCode, stderr } = await auditLog(...args)
    expect(exitCode).toBe(2)
    expect(JSON.parse(stderr)).toMatchObject({ code })
  })
})

describe('what a log leaves', () => {
  const paths: string[] = []
  const left = (file: AnchorsFile) => {
    const source = logAtUrl(site.url)
    const log: LogSource = {
      read(path, maxBytes) {
        paths.push(path)
        return source.read(path, maxBytes)
      },
    }
    const old = { log, blob: blobsAtUrl(site.url), anchors: file }
    return legacyOf(old, openNode(node.rpc, 'regtest'), { mayBeOpen: true })
  }

  beforeAll(() => node.mine(site.config.epoch.finalDepth))

  test('is known by reading its entries once', async () => {
    const { origin } = await left(parseAnchorsFile(readFileSync(anchors)))
    expect(origin).toBe(site.origin)
    const bundles = paths.filter((path) => path.startsWith('tile/entries'))
    expect(bundles.length).toBeGreaterThan(0)
    expect(new Set(bundles).size).toBe(bundles.length)
  })

  test('is not known where its anchors are no chain of seals', async () => {
    const file = parseAnchorsFile(readFileSync(anchors))
    const broken = file.anchors.map((one) => ({ ...one, index: one.index + 1 }))
    await expect(left({ ...file, anchors: broken })).rejects.toMatchObject({
      code: 'anchors_broken',
      message: expect.stringMatching(/^index_gap: /),
    })
  })
})

function theNode(): string[] {
  return ['--bitcoind-url', node.rpcUrl, '--cookie-file', node.cookieFile]
}

function theMirror(anchorsFile = anchors): string[] {
  return ['--log', mirror, '--blobs', blobs, '--anchors', anchorsFile, '--headers', headers]
}

function auditLog(...args: string[]) {
  return assay('audit', 'log', ...args, '--json')
}

/** As a user runs it; the coordinator answers meanwhile, in this process. */
function assay(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [CLI, ...args], (_, stdout, stderr) =>
      resolve({ exitCode: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

/** A static copy of the log: its head, and the one bundle of entries. */
async function mirrorLog(): Promise<void> {
  const width = site.coordinator().books.log.size()
  const bundle = tilePath({ level: 'entries', n: 0, width })
  for (const path of ['checkpoint', bundle]) {
    const response = await fetch(new URL(`/log/${path}`, site.url))
    mkdirSync(dirname(join(mirror, path)), { recursive: true })
    writeFileSync(join(mirror, path), new Uint8Array(await response.arrayBuffer()))
  }
  if (readdirSync(mirror).length !== 2) throw new Error('checkpoint and tiles')
}
