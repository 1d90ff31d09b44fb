import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { readKeptHead, writeKeptHead } from '../../../src/monitor/kept-head.ts'
import { observeLog } from '../../../src/monitor/observe-log.ts'
import { verifyLog } from '../../../src/monitor/verify-log.ts'
import { entriesOf, headOf, memoryLog, SIGNER } from './memory-log.ts'

let folder: string
let state: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-monitor-'))
  state = join(folder, 'state.json')
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

describe('looks at a log, one after the other', () => {
  test('keep each head that holds', async () => {
    expect(await verifyLog(memoryLog(entriesOf(3)), state)).toMatchObject({
      observation: { code: 'first_seen' },
    })
    expect(await verifyLog(memoryLog(entriesOf(3)), state)).toMatchObject({
      observation: { code: 'unchanged' },
    })
    expect(await verifyLog(memoryLog(entriesOf(9)), state)).toMatchObject({
      observation: { code: 'grown' },
      evidenceFile: null,
    })
    expect(await readKeptHead(state)).toMatchObject({ checkpoint: headOf(entriesOf(9)) })
    expect(readdirSync(folder)).toEqual(['state.json'])
  })

  test('tell of the entries that are new', async () => {
    const told: [number, number][] = []
    for (const entries of [2, 2, 5]) {
      await verifyLog(memoryLog(entriesOf(entries)), state, undefined, (...progress) => told.push(progress))
    }
    expect(told).toEqual([
      [1, 2],
      [2, 2],
      [1, 3],
      [2, 3],
      [3, 3],
    ])
  })

  test('write both signed notes down after a fork, and keep what they kept', async () => {
    await verifyLog(memoryLog(entriesOf(3)), state)
    const before = readFileSync(state, 'utf8')
    const fork = memoryLog(entriesOf(3, 100))
    const { evidenceFile } = await verifyLog(fork, state)
    expect(JSON.parse(readFileSync(evidenceFile ?? '', 'utf8'))).toEqual({
      v: 1,
      code: 'split_view',
      detail: expect.stringContaining('3 entries'),
      verifierKey: SIGNER.verifierKey,
      kept: headOf(entriesOf(3)),
      served: headOf(entriesOf(3, 100)),
    })
    expect(readFileSync(state, 'utf8')).toBe(before)
    expect((await verifyLog(fork, state)).evidenceFile).toBe(evidenceFile)
    expect((await verifyLog(memoryLog(entriesOf(3, 200)), state)).evidenceFile).not.toBe(evidenceFile)
    expect(readdirSync(folder).length).toBe(3)
  })

  test('keep nothing of a log whose first look fails', async () => {
    const unserved = memoryLog(entriesOf(3), headOf(entriesOf(4)))
    const { observation, evidenceFile } = await verifyLog(unserved, state, SIGNER.verifierKey)
    expect(observation.code).toBe('entries_missing')
    expect(readdirSync(folder).map((name) => join(folder, name))).toEqual([evidenceFile])
  })
})

describe('the kept head', () => {
  test('comes back as it was written, and not being there is no error', async () => {
    expect(await readKeptHead(state)).toBeNull()
    const { next } = await observeLog(memoryLog(entriesOf(300)), null)
    if (next === null) throw new Error('a log that holds')
    await writeKeptHead(state, next)
    const read = await readKeptHead(state)
    expect(read).toMatchObject({ verifierKey: next.verifierKey, checkpoint: next.checkpoint })
    expect(read?.edge.map((hash) => Buffer.from(hash))).toEqual(next.edge.map((hash) => Buffer.from(hash)))
  })

  test('changed in any character it is refused, or says the same', async () => {
    await verifyLog(memoryLog(entriesOf(7)), state)
    const text = readFileSync(state, 'utf8')
    const kept = await readKeptHead(state)
    for (let at = 0; at < text.length; at += 1) {
      const other = text[at] === 'A' ? 'B' : 'A'
      writeFileSync(state, `${text.slice(0, at)}${other}${text.slice(at + 1)}`)
      const read = await readKeptHead(state).catch((error: unknown) => error)
      const refused = expect.objectContaining({ code: 'state_malformed' })
      expect([refused, kept], `character ${at}`).toContainEqual(read)
    }
  })

  test('with an edge of another tree never accuses a log', async () => {
    await verifyLog(memoryLog(entriesOf(7)), state)
    const { edge, ...rest } = JSON.parse(readFileSync(state, 'utf8'))
    for (const wrong of [edge.slice(1), edge.toReversed(), [...edge, edge[0]], []]) {
      writeFileSync(state, JSON.stringify({ ...rest, edge: wrong }))
      await expect(verifyLog(memoryLog(entriesOf(9)), state)).rejects.toMatchObject({
        code: 'state_malformed',
      })
    }
  })

  test('that cannot be read is an error of its own', async () => {
    await expect(readKeptHead(folder)).rejects.toMatchObject({ code: 'state_unreadable' })
  })
})
