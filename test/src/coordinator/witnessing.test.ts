import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Database } from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { renderStatus } from '../../../src/cli/status-screen.ts'
import { readStatus } from '../../../src/client/read-status.ts'
import { openWitnessing, type WitnessStatus } from '../../../src/coordinator/witnessing.ts'
import { deriveKeys } from '../../../src/keystore/derive-keys.ts'
import { newMnemonic } from '../../../src/keystore/mnemonic.ts'
import type { LogStore } from '../../../src/log/log-store.ts'
import { parseNote } from '../../../src/log/note.ts'
import { parseVerifierKey } from '../../../src/log/note-key.ts'
import { noteSigner } from '../../../src/log/note-signer.ts'
import { parseWitness } from '../../../src/monitor/parse-witness.ts'
import { appendAll, numberedEntries, openTemporaryLog } from '../log/temporary-log.ts'
import { scrape } from '../metrics/scrape.ts'
import { startWitness, type TestWitness } from '../monitor/witness-server.ts'
import { ORIGIN, openSite } from './site.ts'

const lineOf = ({ url, verifierKey }: TestWitness) => `${url} ${verifierKey}`

function trusting(log: { readonly verifierKey: string }, origin: string) {
  return new Map([[origin, parseVerifierKey(log.verifierKey).publicKey]])
}

async function witnessed(log: LogStore, lines: readonly string[]) {
  const alarms: WitnessStatus[] = []
  const witnessing = openWitnessing(log, lines.map(parseWitness), {
    onAlarm: (status) => alarms.push(status),
    onBug: (error) => expect.unreachable(String(error)),
  })
  onTestFinished(() => witnessing[Symbol.asyncDispose]())
  const collect = async () => {
    witnessing.collect()
    await witnessing.settled()
    return witnessing.list()
  }
  return { witnessing, alarms, collect }
}

function openLogOf(count: number): { db: Database; log: LogStore } {
  const opened = openTemporaryLog()
  appendAll(opened.db, opened.log, numberedEntries(count))
  return opened
}

/** Takes connections and says nothing. */
async function startMute(): Promise<string> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a port')
  return `http://127.0.0.1:${address.port}`
}

test('a log’s head carries its cosignatures until the log grows', async () => {
  const { db, log } = openLogOf(3)
  const witness = await startWitness('one.example/w', trusting(log, log.origin))
  const { witnessing, collect, alarms } = await witnessed(log, [lineOf(witness)])
  expect(witnessing.checkpoint()).toBe(log.checkpoint())
  expect(await collect()).toEqual([
    { witness: witness.name, size: 3, timeUnix: 1_700_000_000, error: null, alarm: null },
  ])
  expect(parseNote(witnessing.checkpoint()).signatures.map(({ name }) => name)).toEqual([
    log.origin,
    witness.name,
  ])
  appendAll(db, log, numberedEntries(1, 3))
  expect(witnessing.checkpoint()).toBe(log.checkpoint())
  expect(await collect()).toMatchObject([{ size: 4, error: null }])
  expect(alarms).toEqual([])
})

test('a fork is shown by the two signed heads, once, and until the witness cosigns again', async () => {
  const { db, log } = openLogOf(3)
  const witness = await startWitness('one.example/w', trusting(log, log.origin))
  const { witnessing, collect, alarms } = await witnessed(log, [lineOf(witness)])
  await collect()
  const cosigned = witnessing.checkpoint()
  appendAll(db, log, numberedEntries(1, 3))
  witness.heads.set(log.origin, { size: 3, root: new Uint8Array(32).fill(1) })
  const alarm = { refused: log.checkpoint(), cosigned }
  expect(await collect()).toMatchObject([{ error: { code: 'witness_conflict' }, alarm }])
  await collect()
  expect(alarms).toMatchObject([{ witness: witness.name, alarm }])
  witness.heads.set(log.origin, { size: 3, root: log.root(3) })
  expect(await collect()).toMatchObject([{ error: null, alarm: null }])
})

test('a witness that knows more entries than this log has raises an alarm, which its silence does not lift', async () => {
  const { log } = openLogOf(3)
  const witness = await startWitness('one.example/w', trusting(log, log.origin))
  witness.heads.set(log.origin, { size: 9, root: new Uint8Array(32) })
  const { witnessing, collect, alarms } = await witnessed(log, [lineOf(witness)])
  expect(await collect()).toMatchObject([
    { error: { code: 'witness_ahead' }, alarm: { refused: log.checkpoint(), cosigned: null } },
  ])
  witness.heads.clear()
  witness.sayInstead(() => '<html>')
  expect(await collect()).toMatchObject([{ error: { code: 'witness_malformed' }, alarm: { cosigned: null } }])
  expect(alarms.length).toBe(1)
  expect(witnessing.checkpoint()).toBe(log.checkpoint())
})

test('a witness that hangs holds nobody up, and is let go when the log closes', async () => {
  const { log } = openLogOf(3)
  const key = (await startWitness('mute.example/w', new Map())).verifierKey
  const { witnessing } = await witnessed(log, [`${await startMute()} ${key}`])
  witnessing.collect()
  witnessing.collect()
  expect(witnessing.checkpoint()).toBe(log.checkpoint())
  await witnessing[Symbol.asyncDispose]()
  expect(witnessing.list()).toMatchObject([{ size: null }])
})

describe('a coordinator', () => {
  let node: RegtestNode
  beforeAll(async () => {
    node = await startBitcoind()
  })
  afterAll(() => node?.stop())

  test('serves the cosigned head, and shows an alarm wherever an operator looks', async () => {
    const keys = deriveKeys(newMnemonic(), 'regtest')
    const trust = trusting(noteSigner(ORIGIN, keys.logSeed), ORIGIN)
    const good = await startWitness('good.example/w', trust)
    const ahead = await startWitness('ahead.example/w', trust)
    await using site = await openSite(node, {
      keys,
      flags: { witnesses: [good, ahead].map(lineOf).join(',') },
    })
    const { witnessing } = site.coordinator()
    ahead.heads.set(ORIGIN, { size: 1_000, root: new Uint8Array(32) })
    await witnessing.settled()
    await site.coordinator().kick()
    await witnessing.settled()
    const served = await (await fetch(new URL('/log/checkpoint', site.url))).text()
    expect(parseNote(served).signatures.map(({ name }) => name)).toEqual([ORIGIN, 'good.example/w'])
    const status = await readStatus(site.url)
    expect(status.witnesses).toMatchObject([
      { witness: 'good.example/w', size: site.coordinator().books.log.size(), alarm: null },
      {
        witness: 'ahead.example/w',
        error: { code: 'witness_ahead' },
        alarm: { refused: expect.any(String) },
      },
    ])
    expect(renderStatus(status)).toMatch(/Witnesses.*1 of 2[\s\S]*ALARM.*ahead\.example/)
    const { samples } = await scrape(site.coordinator())
    expect(samples.get('assay_witness_alarm{witness="ahead.example/w"}')).toBe(1)
    expect(samples.get('assay_witness_alarm{witness="good.example/w"}')).toBe(0)
  })
})
