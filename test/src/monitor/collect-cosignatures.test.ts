import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Database } from 'better-sqlite3'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { verifyCheckpoint } from '../../../src/log/checkpoint.ts'
import type { LogStore } from '../../../src/log/log-store.ts'
import { parseNote } from '../../../src/log/note.ts'
import { parseVerifierKey } from '../../../src/log/note-key.ts'
import { noteSigner } from '../../../src/log/note-signer.ts'
import { collectCosignatures } from '../../../src/monitor/collect-cosignatures.ts'
import { parseWitnessKey, verifyCosignature } from '../../../src/monitor/cosignature.ts'
import type { Witness } from '../../../src/monitor/witness-client.ts'
import { ORIGIN } from '../log/log-identity.ts'
import { appendAll, numberedEntries, openTemporaryLog } from '../log/temporary-log.ts'
import { startWitness, type TestWitness } from './witness-server.ts'

const NOT_ABORTED = new AbortController().signal

let db: Database
let log: LogStore
let trust: ReadonlyMap<string, ReturnType<typeof parseVerifierKey>['publicKey']>
beforeEach(() => {
  ;({ db, log } = openTemporaryLog())
  trust = new Map([[ORIGIN, parseVerifierKey(log.verifierKey).publicKey]])
})

function append(count: number): void {
  appendAll(db, log, numberedEntries(count, log.size()))
}

function known({ url, verifierKey }: TestWitness): Witness {
  return { url, key: parseWitnessKey(verifierKey) }
}

async function collect(witnesses: readonly Witness[], sizes = new Map<string, number>()) {
  const { outcomes, ...rest } = await collectCosignatures(log, witnesses, { sizes, signal: NOT_ABORTED })
  return { ...rest, outcomes, codes: outcomes.map(({ error }) => error?.code ?? null) }
}

describe('witnesses that agree', () => {
  test('add their cosignatures to the signed head, which stays what the log signed', async () => {
    append(5)
    const witnesses = await Promise.all(
      ['one.example/w', 'two.example/w'].map((name) => startWitness(name, trust)),
    )
    const { checkpoint, size, outcomes } = await collect(witnesses.map(known))
    expect(size).toBe(5)
    expect(checkpoint.startsWith(log.checkpoint())).toBe(true)
    expect(verifyCheckpoint(checkpoint, parseVerifierKey(log.verifierKey)).size).toBe(5)
    const { text, signatures } = parseNote(checkpoint)
    expect(signatures.map(({ name }) => name)).toEqual([ORIGIN, 'one.example/w', 'two.example/w'])
    for (const [i, witness] of witnesses.entries()) {
      const line = signatures[i + 1]
      if (line === undefined) throw new Error('a line for each')
      expect(verifyCosignature(text, line, known(witness).key)).toBe(1_700_000_000)
    }
    expect(outcomes).toEqual(
      witnesses.map(({ name }) => ({ witness: name, timeUnix: 1_700_000_000, error: null })),
    )
  })

  test('are told from where the log grew, at sizes of every shape', async () => {
    const witness = await startWitness('one.example/w', trust)
    const sizes = new Map<string, number>()
    for (const step of [1, 0, 1, 1, 4, 1, 248, 1, 70]) {
      append(step)
      expect((await collect([known(witness)], sizes)).codes, `${log.size()} entries`).toEqual([null])
      expect(witness.heads.get(ORIGIN)?.size).toBe(log.size())
      expect(sizes.get(witness.name)).toBe(log.size())
    }
    expect(witness.answers).toEqual(Array(9).fill(200))
  })

  test('are asked once more from where they are when that was not known', async () => {
    append(5)
    const witness = await startWitness('one.example/w', trust)
    await collect([known(witness)])
    append(4)
    expect((await collect([known(witness)])).codes).toEqual([null])
    expect(witness.answers).toEqual([200, 409, 200])
  })

  test('that lost their memory are begun with anew', async () => {
    append(5)
    const witness = await startWitness('one.example/w', trust)
    expect((await collect([known(witness)], new Map([[witness.name, 3]]))).codes).toEqual([null])
    expect(witness.answers).toEqual([409, 200])
  })

  test('may be none', async () => {
    append(2)
    expect(await collect([])).toMatchObject({ checkpoint: log.checkpoint(), outcomes: [] })
  })

  test('may have cosignatures of others beside theirs, which are left out', async () => {
    append(2)
    const other = noteSigner('other.example/w', new Uint8Array(32).fill(8))
    const witness = await startWitness('one.example/w', trust)
    witness.sayInstead((line) => `— ${other.name} ${Buffer.alloc(76).toString('base64')}\n${line}`)
    const { checkpoint, codes } = await collect([known(witness)])
    expect(codes).toEqual([null])
    expect(parseNote(checkpoint).signatures.map(({ name }) => name)).toEqual([ORIGIN, witness.name])
  })
})

test('a witness may sign by another kind of key under the same name, which is left out', async () => {
  append(2)
  const witness = await startWitness('one.example/w', trust)
  witness.sayInstead((line) => `— ${witness.name} ${Buffer.alloc(76).toString('base64')}\n${line}`)
  const { checkpoint, codes } = await collect([known(witness)])
  expect(codes).toEqual([null])
  expect(parseNote(checkpoint).signatures.length).toBe(2)
})

describe('a witness that does not cosign', () => {
  test('keeps none of the others from being used', async () => {
    append(3)
    const good = await startWitness('good.example/w', trust)
    const strange = await startWitness('strange.example/w', new Map())
    const gone = { ...known(good), url: 'http://127.0.0.1:1' }
    const { checkpoint, codes } = await collect([gone, known(strange), known(good)])
    expect(codes).toEqual(['witness_unreachable', 'witness_refused', null])
    expect(parseNote(checkpoint).signatures.map(({ name }) => name)).toEqual([ORIGIN, 'good.example/w'])
  })

  test('since it trusts another key of this log refuses', async () => {
    append(3)
    const { publicKey } = parseVerifierKey(noteSigner(ORIGIN, new Uint8Array(32).fill(7)).verifierKey)
    const witness = await startWitness('one.example/w', new Map([[ORIGIN, publicKey]]))
    expect((await collect([known(witness)])).codes).toEqual(['witness_refused'])
    expect(witness.answers).toEqual([403])
  })

  test('since it knows more entries than this log has is an alarm: an old copy runs here', async () => {
    append(3)
    const witness = await startWitness('one.example/w', trust)
    witness.heads.set(ORIGIN, { size: 4, root: new Uint8Array(32) })
    const sizes = new Map<string, number>()
    expect((await collect([known(witness)], sizes)).codes).toEqual(['witness_ahead'])
    expect((await collect([known(witness)], new Map([[witness.name, 4]]))).codes).toEqual(['witness_ahead'])
    expect(sizes.size).toBe(0)
  })

  test.each([
    ['the same size', 3],
    ['a smaller size', 2],
  ])('since it knows another log of %s is an alarm: a fork', async (_name, size) => {
    append(3)
    const witness = await startWitness('one.example/w', trust)
    witness.heads.set(ORIGIN, { size, root: new Uint8Array(32).fill(1) })
    expect((await collect([known(witness)])).codes).toEqual(['witness_conflict'])
    expect((await collect([known(witness)], new Map([[witness.name, size]]))).codes).toEqual([
      'witness_conflict',
    ])
  })

  test('since its head moves twice meanwhile is busy, not broken', async () => {
    append(5)
    const witness = await startWitness('one.example/w', trust)
    const moveTo = (size: number) => witness.heads.set(ORIGIN, { size, root: log.root(size) })
    witness.beforeNext(() => {
      moveTo(2)
      queueMicrotask(() => witness.beforeNext(() => moveTo(4)))
    })
    expect((await collect([known(witness)])).codes).toEqual(['witness_busy'])
    expect(witness.answers).toEqual([409, 409])
  })

  test.each<[string, (line: string) => string, string]>([
    ['nothing', () => '', 'cosignature_missing'],
    ['a page', () => '<html>', 'witness_malformed'],
    ['a text of its own', (line) => `\nmine\n\n${line}`, 'witness_malformed'],
    [
      'a line by another key',
      (line) => line.replace('one.example/w', 'two.example/w'),
      'cosignature_missing',
    ],
    [
      'a changed cosignature',
      (line) => line.replace(/(?<=^.{60})./, (c) => (c === 'A' ? 'B' : 'A')),
      'cosignature_invalid',
    ],
    ['more than anybody needs', (line) => line.repeat(1_000), 'witness_unreachable'],
  ])('but answers with %s gives no line', async (_name, say, code) => {
    append(3)
    const witness = await startWitness('one.example/w', trust)
    witness.sayInstead(say)
    const { checkpoint, codes } = await collect([known(witness)])
    expect(codes).toEqual([code])
    expect(checkpoint).toBe(log.checkpoint())
  })

  test('but names no size that it knows is malformed', async () => {
    append(3)
    for (const body of ['', '3', '03\n', '-1\n', '99999999999999999999\n', 'x\n']) {
      const url = await answering(409, body)
      const key = known(await startWitness('one.example/w', trust)).key
      expect((await collect([{ url, key }])).codes, JSON.stringify(body)).toEqual(['witness_malformed'])
    }
  })

  test('but conflicts with the very size that it names is malformed', async () => {
    append(3)
    const key = known(await startWitness('one.example/w', trust)).key
    expect((await collect([{ url: await answering(409, '0\n'), key }])).codes).toEqual(['witness_malformed'])
  })

  test('but sends us elsewhere is not followed', async () => {
    append(3)
    const witness = await startWitness('one.example/w', trust)
    const url = await answering(307, '', { location: `${witness.url}/add-checkpoint` })
    expect((await collect([{ ...known(witness), url }])).codes).toEqual(['witness_unreachable'])
    expect(witness.answers).toEqual([])
  })

  test('but hangs is left when the log closes', async () => {
    append(3)
    const closing = new AbortController()
    const url = await answering(null, '', {}, () => closing.abort())
    const key = known(await startWitness('one.example/w', trust)).key
    const options = { sizes: new Map<string, number>(), signal: closing.signal }
    const { outcomes } = await collectCosignatures(log, [{ url, key }], options)
    expect(outcomes.map(({ error }) => error?.code)).toEqual(['witness_unreachable'])
  })
})

/** A server that says the same to everybody; with status null nothing. */
async function answering(
  status: number | null,
  body: string,
  headers: Record<string, string> = {},
  onRequest = () => {},
): Promise<string> {
  const server = createServer((_request, response) => {
    if (status !== null) response.writeHead(status, headers).end(body)
    onRequest()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
