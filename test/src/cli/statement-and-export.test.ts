import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signRegistration } from '../../../compute/work/worker-registration.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { checkStatement } from '../../../src/client/check-statement.ts'
import { type ReadStatement, readStatement } from '../../../src/client/read-statement.ts'
import { renderConfig } from '../../../src/config/render-config.ts'
import { readBlob } from '../../../src/monitor/read-blob.ts'
import { expectRefused } from '../api/refused.ts'
import { createPeer, idOf, type Peer, worksOf } from '../coordinator/peer.ts'
import { openSite, type Site, TOKEN } from '../coordinator/site.ts'
import { cheatedOutput } from '../coordinator/tiny-market.ts'
import { runCli } from './run-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-books-'))
const configFile = join(folder, 'assay.toml')

/** One worker is honest, the other cheats; the first is paid. */
let node: RegtestNode
let site: Site
let honest: Peer
let cheat: Peer
let cheated: string[]
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node, { flags: { 'payout.thresholdSats': '2000' } })
  writeFileSync(configFile, renderConfig(site.config))
  writeFileSync(join(site.config.dataDir, 'operator-token'), TOKEN)
  const [first, second, operator] = await site.begin(2)
  if (first === undefined || second === undefined || operator === undefined) throw new Error('three peers')
  honest = first
  cheat = second
  await worksOf(honest.work())
  cheated = (await worksOf(cheat.work(cheatedOutput))).map(idOf)
  await site.mineAudited([honest, operator], 'a payout', () =>
    site.status().payouts.some(({ state }) => state === 'settled'),
  )
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('no signature is asked for over an address that cannot be paid, nor of one that cannot sign', async () => {
  const change = (secretKey: Uint8Array, address: string) => {
    const data = mkdtempSync(join(folder, 'worker-'))
    writeFileSync(join(data, 'worker.key'), Buffer.from(secretKey).toString('hex'))
    return runCli('worker', 'address', '--coordinator', site.url, '--data', data, '--address', address)
  }
  expect(await change(honest.secretKey, honest.address)).toMatchObject({ exitCode: 0 })
  const mainnet = await change(honest.secretKey, 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4')
  expect(mainnet).toMatchObject({ exitCode: 2, stdout: '' })
  expect(mainnet.stderr).toContain('(address_wrong_network)')

  const peer = createPeer(site)
  const p2pkh = 'mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8' // of the key hash of 20 zero bytes
  await peer.call('/v1/workers', signRegistration(p2pkh, site.origin, peer.secretKey))
  const legacy = await change(peer.secretKey, honest.address)
  expect(legacy).toMatchObject({ exitCode: 2, stdout: '' })
  expect(legacy.stderr).toContain('(address_unsigning)')
})

describe('a statement', () => {
  test('names every receipt with its reason, the sums of the ledger, the verdict and the payment', async () => {
    const { stdout, exitCode } = await runCli(
      'worker',
      'statement',
      ...ofWorker(honest),
      '--epoch',
      '0',
      '--json',
    )
    expect(exitCode).toBe(0)
    const said = JSON.parse(stdout)
    expect(said).toMatchObject({ worker: honest.hex, epoch: 0, differences: [] })
    expect(said.maturedEntry).not.toBeNull()
    expect(said.receipts.length).toBeGreaterThan(0)
    for (const receipt of said.receipts) {
      expect(receipt).toMatchObject({
        subnet: 'tiny',
        units: 7,
        reason: 'earned',
        verdict: 'pass',
        msat: null,
      })
      const verdicts = await readBlob(site.url, Buffer.from(receipt.evidence, 'hex'))
      expect(Buffer.from(verdicts).includes(Buffer.from(receipt.receipt, 'hex'))).toBe(true)
    }
    const earnedMsat = sum(said.earned.map(({ msat }: { msat: string }) => msat))
    const { credits } = sumsOf(await jsonLines('--account', `worker/${honest.hex}/unmatured`))
    expect(earnedMsat).toBe(credits.get(`worker/${honest.hex}/unmatured`))
    const [paid] = said.payouts
    expect(BigInt(paid.msat)).toBe((earnedMsat / 1000n) * 1000n)
    const block = await node.rpc.call('getblockhash', paid.height)
    const transaction = Object(await node.rpc.call('getrawtransaction', paid.txid, 1, block))
    const addresses = transaction.vout.map(
      (output: { scriptPubKey: object }) => Object(output.scriptPubKey).address,
    )
    expect(addresses).toContain(honest.address)
  })

  test('says in words why a cheat earned nothing', async () => {
    const { stdout } = await runCli('worker', 'statement', ...ofWorker(cheat), '--epoch', '0')
    for (const receipt of cheated) {
      expect(stdout).toMatch(
        new RegExp(`^${receipt}.*fail.*/blobs/.*an auditor computed something else$`, 'm'),
      )
    }
    const { earned, payouts } = await readStatement(site.url, cheat.hex, 0)
    expect({ earned, payouts }).toEqual({ earned: [], payouts: [] })
  })

  test('goes on behind the place that is asked for', async () => {
    const { receipts } = await readStatement(site.url, honest.hex, 0)
    const [first] = receipts
    const path = `/v1/workers/${honest.hex}/statement?epoch=0&after=${first?.entry}.${first?.position}`
    expect(Object(await (await fetch(new URL(path, site.url))).json()).receipts).toEqual(receipts.slice(1))
  })

  test('of an epoch that nobody has worked in yet is empty', async () => {
    const settledEntry = null
    const empty = { epoch: 1_000, settledEntry, accruals: null, earned: [], payouts: [], receipts: [] }
    expect(await readStatement(site.url, honest.hex, 1_000)).toMatchObject(empty)
  })

  test('that differs from the public table in one thing is told apart from it', async () => {
    const right = await readStatement(site.url, honest.hex, 0)
    const table = Buffer.from(right.accruals ?? '', 'hex')
    const differences = (said: ReadStatement) =>
      checkStatement(said, table, (digest) => readBlob(site.url, digest))
    expect(await differences(right)).toEqual([])
    const [one, ...others] = right.receipts
    const [earned] = right.earned
    if (one === undefined || earned === undefined) throw new Error('it has earned')
    for (const lie of [
      { ...right, epoch: 1 },
      { ...right, earned: right.earned.slice(1) },
      { ...right, earned: [{ ...earned, msat: '1' }, ...right.earned.slice(1)] },
      { ...right, earned: [...right.earned, { ...earned, subnet: 'other', msat: '1' }] },
      { ...right, receipts: [{ ...one, reason: 'fail' }, ...others] },
      { ...right, receipts: [{ ...one, receipt: '00'.repeat(32) }, ...others] },
      { ...right, receipts: [{ ...one, msat: '5' }, ...others] },
    ]) {
      expect(await differences(lie)).toHaveLength(1)
    }
  })

  test.each([
    [`${'0'.repeat(64)}/statement`, { status: 404, code: 'worker_unknown' }],
    ['KEY/statement?epoch=-1', { status: 400, code: 'cursor_malformed' }],
    ['KEY/statement?after=7', { status: 400, code: 'cursor_malformed' }],
  ])('%s is refused', async (path, expected) => {
    const url = new URL(`/v1/workers/${path.replace('KEY', honest.hex)}`, site.url)
    await expectRefused(site, () => fetch(url), expected)
  })
})

describe('an export', () => {
  test('adds up to every balance, in either format', async () => {
    const lines = await jsonLines()
    expect(lines.map(({ sequence }) => sequence)).toEqual(lines.map((_, i) => i + 1))
    const { debits, credits } = sumsOf(lines)
    const accounts = site.coordinator().books.ledger.accounts()
    for (const { name, postedMsat } of accounts) {
      const net = (credits.get(name) ?? 0n) - (debits.get(name) ?? 0n)
      expect([name, net < 0n ? -net : net]).toEqual([name, postedMsat])
    }
    expect(new Set([...debits.keys(), ...credits.keys()])).toEqual(new Set(accounts.map(({ name }) => name)))

    const [head, ...rows] = (await exported('--format', 'csv')).trimEnd().split('\n')
    expect(head).toBe('sequence,id,kind,debit,credit,msat,code,entry,pending_id,anchor_height,anchor_time')
    expect(rows).toEqual(
      lines.map((line) =>
        Object.values(line)
          .map((cell) => `${cell ?? ''}`)
          .join(','),
      ),
    )
  })

  test('keeps to an account and to the blocks that are asked for', async () => {
    const lines = await jsonLines()
    const heights = lines.flatMap(({ anchor_height }) => (anchor_height === null ? [] : [anchor_height]))
    const from = Math.min(...heights) + 1
    const to = Math.max(...heights) - 1
    const within = (await jsonLines('--from', `${from}`, '--to', `${to}`)).map(({ sequence }) => sequence)
    expect(within).toEqual(
      lines
        .filter(({ anchor_height: height }) => height !== null && height >= from && height <= to)
        .map(({ sequence }) => sequence),
    )
    expect(within.length).toBeGreaterThan(0)
    expect(within.length).toBeLessThan(lines.length)
    const reserve = await jsonLines('--account', 'reserve')
    expect(reserve).toEqual(lines.filter(({ debit, credit }) => debit === 'reserve' || credit === 'reserve'))
    const { height, time } = Object(
      await node.rpc.call('getblockheader', await node.rpc.call('getblockhash', Math.min(...heights))),
    )
    const first = lines.find(({ anchor_height }) => anchor_height === height)
    expect(first?.anchor_time).toBe(new Date(time * 1000).toISOString())
  })

  test('is the operator’s alone, and refuses accounts that cannot be', async () => {
    const ask = (query: string, token: string) => () =>
      fetch(new URL(`/v1/operator/transfers${query}`, site.url), {
        headers: { authorization: `Bearer ${token}` },
      })
    await expectRefused(site, ask('', 'another'), { status: 401, code: 'api_key_unknown' })
    await expectRefused(site, ask('?account=nobody', TOKEN), { status: 400, code: 'account_unknown' })
    await expectRefused(site, ask('?after=x', TOKEN), { status: 400, code: 'cursor_malformed' })
  })

  test('holds no formula for a spreadsheet', async () => {
    const entryIndex = 0
    const outcome = site.coordinator().books.ledger.post(
      ['=1+1', '+1', '-1', '@A1'].map((id) => {
        return { id, debit: 'treasury', credit: 'reserve', amountMsat: 1n, code: 'deposit', entryIndex }
      }),
    )
    expect(outcome).toEqual(['applied', 'applied', 'applied', 'applied'])
    const ids = (await exported('--format', 'csv', '--account', 'reserve'))
      .trimEnd()
      .split('\n')
      .slice(-4)
      .map((row) => row.split(',')[1])
    expect(ids).toEqual(["'=1+1", "'+1", "'-1", "'@A1"])
  })
})

interface Line {
  readonly sequence: number
  readonly kind: string
  readonly debit: string
  readonly credit: string
  readonly msat: string
  readonly anchor_height: number | null
  readonly anchor_time: string | null
}

async function jsonLines(...args: readonly string[]): Promise<Line[]> {
  const text = await exported('--format', 'jsonl', ...args)
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function sumsOf(lines: readonly Line[]) {
  const debits = new Map<string, bigint>()
  const credits = new Map<string, bigint>()
  for (const { kind, debit, credit, msat } of lines) {
    if (kind !== 'direct' && kind !== 'post') continue
    debits.set(debit, (debits.get(debit) ?? 0n) + BigInt(msat))
    credits.set(credit, (credits.get(credit) ?? 0n) + BigInt(msat))
  }
  return { debits, credits }
}

function sum(amounts: readonly string[]): bigint {
  return amounts.reduce((total, msat) => total + BigInt(msat), 0n)
}

function ofWorker({ hex }: Peer): string[] {
  return ['--coordinator', site.url, '--key', hex]
}

async function exported(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCli(
    ...['ledger', 'export', '--config', configFile, '--url', site.url, ...args],
  )
  expect([exitCode, stderr]).toEqual([0, ''])
  return stdout
}
