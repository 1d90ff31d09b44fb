import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Transaction } from '@scure/btc-signer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAddress } from '../../../anchor/address.ts'
import { keyPathInput } from '../../../anchor/key-path-input.ts'
import { type Node, openNode } from '../../../anchor/node.ts'
import { taprootAddress } from '../../../anchor/taproot-address.ts'
import { hex } from '../../../compute/work/hex.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { fetchAnchors } from '../../../src/audit/fetch-anchors.ts'
import { renderConfig } from '../../../src/config/render-config.ts'
import { writeInheritance } from '../../../src/coordinator/succession-file.ts'
import { type EntryOf, encodeEntry, type Succession } from '../../../src/log/entry.ts'
import { type InheritedBalances, inheritedMsat } from '../../../src/log/inherited-balances.ts'
import { logAtUrl } from '../../../src/monitor/log-source.ts'
import { blobsAtUrl } from '../../../src/replay/blob-source.ts'
import { type Legacy, legacyOf } from '../../../src/replay/legacy.ts'
import { replay } from '../../../src/replay/replay.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { MSAT_PER_SAT } from '../../../src/rules/msat-per-sat.ts'
import { changeEntry } from '../replay/changed-log.ts'
import { entriesOf, find, inOrder, recordLog, SAMPLED_MARKET, withBlob } from '../replay/recorded-log.ts'
import type { Peer } from './peer.ts'
import { openSite, type Site, TREASURY_SATS } from './site.ts'

const CLI = fileURLToPath(new URL('../../../src/cli/assay.js', import.meta.url))
const run = promisify(execFile)
const NEXT_ORIGIN = 'next.test.assay.example/log'

let bitcoind: RegtestNode
let node: Node
let old: Site
let worker: Peer
beforeAll(async () => {
  bitcoind = await startBitcoind()
  node = openNode(bitcoind.rpc, 'regtest')
  // Nothing is paid there: what matures stays owed.
  old = await openSite(bitcoind, {
    subnets: [SAMPLED_MARKET],
    flags: { 'payout.thresholdSats': '2000000' },
  })
  const people = await old.begin(1)
  const [first] = people
  if (first === undefined) throw new Error('a worker')
  worker = first
  await worker.work()
  await old.mineAudited(people, 'new work', () => {
    const { epochs, work } = old.status()
    return epochs.some(({ settled }) => settled) && work.itemsAssigned > 0
  })
  await worker.work()
  await old.mineAudited(people, 'rewards that have matured, and others that have not', () => {
    const own = old.status().workers.find(({ worker: key }) => key === hex(worker.key))
    return own !== undefined && own.maturedMsat > 0n && own.unmaturedMsat > 0n
  })
  await old.anchorAll()
  // What is in flight is mined and final as well; what comes after it is not mined.
  await bitcoind.mine(old.config.epoch.finalDepth + 1)
  await old.coordinator().kick()
})
afterAll(async () => {
  await old?.[Symbol.asyncDispose]()
  await bitcoind?.stop()
})

test('a log whose seal is unspent is not closed, and can’t be succeeded', async () => {
  await expect(legacy(false)).rejects.toMatchObject({ code: 'seal_unspent' })
  expect((await legacy(true)).origin).toBe(old.origin)
})

describe('a log whose seal somebody else has spent', () => {
  beforeAll(async () => {
    // After the last anchor: nobody but the old operator vouches for it.
    await old.peer()
    const seal = old
      .house()
      .anchorer.anchors()
      .findLast(({ state }) => state === 'final')
    if (seal?.txid === undefined || seal.txid === null) throw new Error('an anchor')
    const coin = await node.txOut({ txid: seal.txid, vout: 0 }, { mempool: false })
    const thief = parseAddress(taprootAddress(publicKeyOf(newWorkerKey()), 'regtest'), 'regtest').script
    const theft = new Transaction()
    const spent = { txid: seal.txid, vout: 0, valueSats: coin?.valueSats ?? 0n, payload: seal.payload }
    theft.addInput(keyPathInput(spent, old.keys.anchor.internalKey))
    theft.addOutput({ script: thief, amount: spent.valueSats - 1_000n })
    theft.sign(old.keys.anchor.secretKey)
    theft.finalize()
    await bitcoind.rpc.call('generateblock', 'raw(51)', [theft.hex])
  })

  test('can’t be succeeded before that is final', async () => {
    await expect(legacy(false)).rejects.toMatchObject({ code: 'not_final_yet' })
  })

  test('is closed, and leaves what its books held at the last anchor, and nothing after it', async () => {
    await bitcoind.mine(old.config.epoch.finalDepth)
    await old.coordinator().kick()
    expect(old.status().halted).toContain('seal_broken')
    const told: [number, number][] = []
    const { balances, entriesLost, origin, size } = await legacy(false, (...progress) => told.push(progress))
    expect(told).toEqual(Array.from({ length: size }, (_, at) => [at + 1, size]))
    const { log } = old.coordinator().books
    expect({ origin, size }).toEqual({
      origin: old.origin,
      size: old
        .house()
        .anchorer.anchors()
        .findLast(({ state }) => state === 'final')?.size,
    })
    expect(entriesLost).toBe(log.size() - size)
    expect(entriesLost).toBeGreaterThan(0)
    const owed = old
      .status()
      .workers.map(({ worker: key, address }) => ({
        worker: new Uint8Array(Buffer.from(key, 'hex')),
        address,
        maturedMsat: bookedBefore(size, `worker/${key}/matured`),
        unmaturedMsat: bookedBefore(size, `worker/${key}/unmatured`),
      }))
      .filter(({ maturedMsat, unmaturedMsat }) => maturedMsat + unmaturedMsat > 0n)
      .toSorted((a, b) => Buffer.compare(a.worker, b.worker))
    expect(balances.workers).toEqual(owed)
    expect(balances.coins.reduce((sum, { sats }) => sum + sats, 0n)).toBe(TREASURY_SATS)
  })

  describe.each(['the same keys', 'new keys'])('is succeeded by a log with %s', (whose) => {
    let next: Site
    let left: Legacy
    let said: string
    beforeAll(async () => {
      left = await legacy(false)
      next = await openSite(bitcoind, {
        funded: false,
        ...(whose === 'the same keys' ? { keys: old.keys } : {}),
        flags: { origin: NEXT_ORIGIN },
      })
      const config = join(next.config.dataDir, 'assay.toml')
      writeFileSync(config, renderConfig(next.config))
      const { stdout } = await run('node', [CLI, 'log', 'succeed', old.url, '--config', config])
      said = stdout
      const { anchorAddress, treasuryAddress } = next.coordinator()
      await bitcoind.fund(anchorAddress, 1_000_000n)
      if (whose === 'new keys') await bitcoind.fund(treasuryAddress, TREASURY_SATS)
      await next.mineUntil('the genesis', () => next.coordinator().house() !== null)
    })
    afterAll(() => next?.[Symbol.asyncDispose]())

    test('by a command that says what is not carried, and what is owed', () => {
      expect(said).toContain(`NOT carried: ${left.entriesLost} entries after it`)
      expect(said).toContain(`Owed to ${left.balances.workers.length} workers and 0 requesters`)
    })

    test('that opens with the old balances by its genesis, and pays them', async () => {
      const own = left.balances.workers.find((one) => Buffer.compare(one.worker, worker.key) === 0)
      if (own === undefined) throw new Error('the worker is owed something')
      expect(balanceOf(next, 'inherited')).toBe(inheritedMsat(left.balances))
      expect(balanceOf(next, `worker/${hex(worker.key)}/unmatured`)).toBe(own.unmaturedMsat)
      const before = await next.satsOnChain(own.address)
      await next.mineUntil('the first payout', () =>
        next.status().payouts.some(({ state }) => state === 'settled'),
      )
      expect((await next.satsOnChain(own.address)) - before).toBe(own.maturedMsat / MSAT_PER_SAT)
      expect(await next.reconcile()).toMatchObject({ ok: true })

      await next.mineUntil(
        'what had not matured',
        () => balanceOf(next, `worker/${hex(worker.key)}/unmatured`) === 0n,
      )
      await next.mineUntil('the second payout', () => {
        const { payouts } = next.status()
        return payouts.length > 1 && payouts.every(({ state }) => state === 'settled')
      })
      const paid = (await next.satsOnChain(own.address)) - before
      expect(paid).toBe((own.maturedMsat + own.unmaturedMsat) / MSAT_PER_SAT)
      const reconciliation = await next.reconcile()
      expect(reconciliation.rows.filter(({ ok }) => !ok)).toEqual([])
      expect(reconciliation.ok).toBe(true)
    })

    test('that follows from log and chain, the old one’s included', async () => {
      const log = await recordLog(next, bitcoind)
      const report = await replay({ ...log, predecessor: () => legacy(true) })
      expect(report).toMatchObject({ ok: true, first: null })
      expect(rule(report, 'succession')).toMatchObject({ failed: 0, skipped: 0 })
      const alone = await replay(log)
      expect(alone).toMatchObject({ ok: true, first: null })
      expect(rule(alone, 'succession')).toMatchObject({ failed: 0, skipped: 1 })
    })

    type Change = (old: Legacy) => { succeeds: Succession; more?: InheritedBalances }
    test.each<[what: string, code: string, change: Change]>([
      [
        '1 msat more to a worker',
        'balances_mismatch',
        ({ succeeds, balances }) => ({ succeeds, more: richer(balances) }),
      ],
      [
        'another anchor than the last',
        'anchor_mismatch',
        ({ succeeds }) => ({ succeeds: { ...succeeds, anchor: { ...succeeds.anchor, index: 0 } } }),
      ],
      [
        'an older head, which the old log’s key has signed as well',
        'checkpoint_mismatch',
        ({ succeeds }) => ({
          succeeds: { ...succeeds, checkpoint: old.coordinator().books.log.checkpoint(1) },
        }),
      ],
      [
        'a head that the old log’s key has not signed',
        'signature_unknown',
        ({ succeeds }) => ({ succeeds: { ...succeeds, logKey: new Uint8Array(32).fill(7) } }),
      ],
      [
        'balances that nobody can read',
        'blob_missing',
        ({ succeeds }) => ({ succeeds: { ...succeeds, balances: new Uint8Array(32) } }),
      ],
    ])('that says %s is named', async (_what, code, change) => {
      const log = await recordLog(next, bitcoind)
      const { succeeds, more } = change(left)
      const { source, digest } =
        more === undefined ? { source: log, digest: succeeds.balances } : withBlob(log, more)
      const changed = await changeGenesis(source, { succeeds: { ...succeeds, balances: digest } })
      const report = await replay({ ...changed, predecessor: async () => left })
      expect(rule(report, 'succession')?.first).toMatchObject({ code, entry: 0 })
    })

    test('that bears the old name is named', async () => {
      const log = await recordLog(next, bitcoind)
      const report = await replay(await changeGenesis(log, { origin: old.origin }))
      expect(rule(report, 'succession')?.first).toMatchObject({ code: 'origin_repeated', entry: 0 })
    })

    test.each([
      ['before its block', 'matured_early', () => 1],
      ['twice', 'nothing_inherited', (size: number) => size],
    ])('whose inheritance matures %s is named', async (_when, code, at) => {
      const log = await recordLog(next, bitcoind)
      const matured = await find(log, 'status', ({ subject }) => subject === 'inheritance')
      const entries = await entriesOf(log)
      const entry = at(entries.length)
      entries[entry] = encodeEntry(matured.entry)
      const report = await replay({ ...log, entries: () => inOrder(entries) })
      expect(rule(report, 'maturity')?.first).toMatchObject({ code, entry })
    })
  })

  test('can’t be succeeded by a log that is open already', async () => {
    await using site = await openSite(bitcoind, { flags: { origin: NEXT_ORIGIN } })
    await writeInheritance(site.config.dataDir, await legacy(false))
    await expect(site.reopen()).rejects.toMatchObject({ code: 'inheritance_too_late' })
  })
})

function richer(balances: InheritedBalances): InheritedBalances {
  const [first, ...others] = balances.workers
  if (first === undefined) throw new Error('somebody is owed something')
  return { ...balances, workers: [{ ...first, maturedMsat: first.maturedMsat + 1n }, ...others] }
}

async function changeGenesis(log: ReplaySource, change: Partial<EntryOf<'genesis'>>): Promise<ReplaySource> {
  return (await changeEntry(log, 'genesis', (entry) => ({ ...entry, ...change }))).source
}

async function legacy(mayBeOpen: boolean, onProgress?: (done: number, of: number) => void): Promise<Legacy> {
  const log = { log: logAtUrl(old.url), blob: blobsAtUrl(old.url), anchors: await fetchAnchors(old.url) }
  return legacyOf(log, node, { mayBeOpen, ...(onProgress && { onProgress }) })
}

/** As the old database has it: by the transfers that its first `size` entries made. */
function bookedBefore(size: number, account: string): bigint {
  const sum = (side: string) =>
    old
      .coordinator()
      .books.db.prepare<[string, number], bigint>(
        `SELECT coalesce(sum(amount_msat), 0) FROM ledger_transfer WHERE ${side} = ? AND entry_index < ?`,
      )
      .pluck()
      .get(account, size) ?? 0n
  return sum('credit') - sum('debit')
}

function balanceOf(site: Site, name: string): bigint {
  return (
    site
      .coordinator()
      .books.ledger.accounts(name)
      .find((one) => one.name === name)?.postedMsat ?? 0n
  )
}

function rule({ rules }: Awaited<ReturnType<typeof replay>>, name: string) {
  return rules.find((one) => one.name === name)
}
