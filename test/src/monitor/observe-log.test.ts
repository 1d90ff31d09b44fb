import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeCheckpoint } from '../../../src/log/checkpoint.ts'
import { noteSigner } from '../../../src/log/note-signer.ts'
import { signNote } from '../../../src/log/sign-note.ts'
import type { KeptHead } from '../../../src/monitor/kept-head.ts'
import type { LogSource } from '../../../src/monitor/log-source.ts'
import { observeLog } from '../../../src/monitor/observe-log.ts'
import { ORIGIN } from '../log/log-identity.ts'
import { entriesOf, headOf, memoryLog, rootOf, SIGNER } from './memory-log.ts'

const KEY = SIGNER.verifierKey

async function keep(source: LogSource, kept: KeptHead | null = null): Promise<KeptHead> {
  const { next, code, detail } = await observeLog(source, kept, KEY)
  if (next === null) throw new Error(`${code}: ${detail}`)
  return next
}

/** As `entries`, with that one changed. */
function changed(entries: readonly Uint8Array[], at: number): Uint8Array[] {
  return entries.with(at, Buffer.from('another'))
}

describe('a log that grows', () => {
  test('is pinned at the first look by the key that its genesis names', async () => {
    const source = memoryLog(entriesOf(5))
    const first = await observeLog(source, null)
    expect(first).toMatchObject({ code: 'first_seen', verifierKey: KEY, kept: null, detail: '5 entries' })
    expect(first.next).toMatchObject({ verifierKey: KEY, checkpoint: first.served })
  })

  test('is held against a key that was given, whatever its entries are', async () => {
    const source = memoryLog([Buffer.from('no genesis')])
    expect(await observeLog(source, null, KEY)).toMatchObject({ code: 'first_seen', verifierKey: KEY })
    await expect(observeLog(source, null)).rejects.toMatchObject({ code: 'genesis_missing' })
  })

  test('may begin empty', async () => {
    const kept = await keep(memoryLog([]))
    expect(kept.edge).toEqual([])
    expect(await observeLog(memoryLog(entriesOf(3)), kept)).toMatchObject({ code: 'grown' })
    await expect(observeLog(memoryLog([]), null)).rejects.toMatchObject({ code: 'genesis_missing' })
  })

  test('by whatever steps, it is never accused and only what is new is read', async () => {
    const steps = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 600 }), steps, async (begin, steps) => {
        let size = begin
        let kept = await keep(memoryLog(entriesOf(size)))
        for (const step of steps) {
          const before = size
          size += step
          const source = memoryLog(entriesOf(size))
          const read: string[] = []
          const watched: LogSource = {
            read(path, max) {
              read.push(path)
              return source.read(path, max)
            },
          }
          const seen = await observeLog(watched, kept)
          expect(seen.code).toBe(step === 0 ? 'unchanged' : 'grown')
          expect(read.length).toBe(1 + (step === 0 ? 0 : Math.ceil(size / 256) - Math.floor(before / 256)))
          kept = seen.next ?? kept
        }
        expect(kept.checkpoint).toBe(headOf(entriesOf(size)))
      }),
      { numRuns: 25 },
    )
  })
})

describe('a log that breaks', () => {
  const entries = entriesOf(300)

  test('two signed roots of one size are a split view, shown with both notes', async () => {
    const kept = await keep(memoryLog(entries))
    const fork = memoryLog(changed(entries, 299))
    expect(await observeLog(fork, kept)).toMatchObject({
      code: 'split_view',
      kept: headOf(entries),
      served: headOf(changed(entries, 299)),
      next: null,
    })
  })

  test('wherever an entry changes below the kept head, the longer log is not append-only', async () => {
    const kept = await keep(memoryLog(entries))
    await fc.assert(
      fc.asyncProperty(fc.nat(299), fc.integer({ min: 1, max: 300 }), async (at, more) => {
        const fork = changed(entriesOf(300 + more), at)
        const seen = await observeLog(memoryLog(fork), kept)
        expect(seen).toMatchObject({ code: 'not_append_only', kept: headOf(entries), served: headOf(fork) })
        expect(seen.next).toBeNull()
      }),
      { numRuns: 25 },
    )
  })

  test('an entry changed above the kept head is a change of nothing that was seen', async () => {
    const kept = await keep(memoryLog(entries))
    expect(await observeLog(memoryLog(changed(entriesOf(301), 300)), kept)).toMatchObject({ code: 'grown' })
  })

  test('a head smaller than the kept one is said to have shrunk', async () => {
    const kept = await keep(memoryLog(entries))
    expect(await observeLog(memoryLog(entriesOf(299)), kept)).toMatchObject({
      code: 'log_shrank',
      next: null,
    })
  })

  test.each([
    ['at the first look', null],
    ['later', 200],
  ])('entries that lead to no signed root are named, %s', async (_when, size) => {
    const kept = size === null ? null : await keep(memoryLog(entriesOf(size)))
    const source = memoryLog(changed(entries, 250), headOf(entries))
    expect(await observeLog(source, kept, KEY)).toMatchObject({ code: 'entries_mismatch', next: null })
  })

  test('entries that lead nowhere accuse nobody of a fork, though they miss the kept head too', async () => {
    const kept = await keep(memoryLog(entriesOf(200)))
    const source = memoryLog(changed(changed(entries, 100), 250), headOf(entries))
    expect(await observeLog(source, kept)).toMatchObject({ code: 'entries_mismatch' })
  })

  test('a signed head without its entries is named', async () => {
    const kept = await keep(memoryLog(entries))
    const source = memoryLog(entries, headOf(entriesOf(310)))
    expect(await observeLog(source, kept)).toMatchObject({ code: 'entries_missing', next: null })
  })

  test('a bundle that cannot be parsed is named', async () => {
    const source = memoryLog(entries)
    const broken: LogSource = {
      read: (path, max) =>
        path === 'checkpoint' ? source.read(path, max) : Promise.resolve(Buffer.from([0])),
    }
    expect(await observeLog(broken, null, KEY)).toMatchObject({ code: 'entries_mismatch' })
  })

  test.each([
    ['by another key', headOf(entries, noteSigner(ORIGIN, new Uint8Array(32).fill(9)))],
    ['of another log', headOf(entries, noteSigner('other.example/log', new Uint8Array(32).fill(1)))],
    ['that is no note', 'hello\n'],
    ['that is no checkpoint', signNote('hello\n', [SIGNER])],
    ['whose text was changed', headOf(entries).replace('\n300\n', '\n301\n')],
  ])('a head %s is not signed', async (_name, note) => {
    const kept = await keep(memoryLog(entries))
    expect(await observeLog(memoryLog(entries, note), kept)).toMatchObject({
      code: 'checkpoint_signature',
      served: note,
      next: null,
    })
  })

  test('a head that names the wrong origin under the right key is not believed', async () => {
    const text = encodeCheckpoint({ origin: 'other.example/log', size: 300, root: rootOf(entries) })
    const source = memoryLog(entries, signNote(text, [SIGNER]))
    expect(await observeLog(source, null, KEY)).toMatchObject({ code: 'checkpoint_signature' })
  })
})

test('a log that serves other entries at the second reading is not accused of a fork', async () => {
  const kept = await keep(memoryLog(entriesOf(300)))
  const honest = memoryLog(entriesOf(310))
  const lying = memoryLog(changed(entriesOf(310), 305))
  let reads = 0
  const source: LogSource = {
    read(path, max) {
      if (path === 'tile/entries/001.p/54') reads += 1
      return (reads === 1 ? lying : honest).read(path, max)
    },
  }
  expect(await observeLog(source, kept)).toMatchObject({ code: 'entries_mismatch' })
})

test('another key than the pinned one is refused before anything is read', async () => {
  const kept = await keep(memoryLog(entriesOf(3)))
  const other = noteSigner(ORIGIN, new Uint8Array(32).fill(9)).verifierKey
  await expect(observeLog(memoryLog(entriesOf(3)), kept, other)).rejects.toMatchObject({
    code: 'log_key_differs',
  })
})
