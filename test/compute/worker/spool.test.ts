import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { outputCommitment, parseReceipt } from '../../../compute/work/receipt.ts'
import { encodeHeader, submissionId } from '../../../compute/work/submission.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { bundleDigest } from '../../../compute/work/tensor-bundle.ts'
import { openSpool, type Spool } from '../../../compute/worker/spool.ts'
import { toHex } from '../work/read-vector.ts'
import { finishedRun } from './finished-run.ts'

let folder: string
let spool: Spool
const path = () => join(folder, 'deep', 'spool.sqlite')
const job = (n: number) => toHex(sha256(Buffer.from(String(n))))
const runs = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => finishedRun(job(from + i)))
const indexes = (batch: number) => spool.receipts(batch).map((receipt) => parseReceipt(receipt).index)
const jobs = (batch: number) => spool.receipts(batch).map((receipt) => toHex(parseReceipt(receipt).job))
const sealed = (sequence: number) => ({
  header: encodeHeader({
    v: 1,
    worker: new Uint8Array(32),
    sequence,
    previous: new Uint8Array(32),
    count: 1,
    root: new Uint8Array(32),
    time: 0,
  }),
  signature: new Uint8Array(64),
})

function reopen(): void {
  spool.closeFile()
  spool = openSpool(path())
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-spool-'))
  spool = openSpool(path())
})

afterEach(() => {
  spool.closeFile()
  rmSync(folder, { recursive: true })
})

describe('spool', () => {
  test('makes receipts that commit to their outputs and count up in their batch, through a restart', () => {
    const [first] = spool.append(runs(0, 2))
    reopen()
    spool.append(runs(2, 1))
    expect(spool.oldestBatch()).toEqual({ batch: 0, receipts: 3 })
    expect(indexes(0)).toEqual([0, 1, 2])
    expect(jobs(0)).toEqual([job(0), job(1), job(2)])
    const result = spool.result(first ?? -1)
    expect(result?.outputs).toEqual(Buffer.from(finishedRun(job(0)).outputs))
    const output = result && outputCommitment(result.salt, bundleDigest(result.outputs))
    expect(result && parseReceipt(result.receipt).output).toEqual(Uint8Array.from(output ?? []))
  })

  test('is empty at first', () => {
    expect(spool.oldestBatch()).toBeNull()
    expect(spool.head()).toBeNull()
    expect(spool.result(1)).toBeNull()
    expect(spool.ids()).toEqual([])
    expect(spool.backlog()).toEqual({ receipts: 0, bytes: 0 })
  })

  test('counts receipts and bytes of outputs', () => {
    spool.append(runs(0, 3))
    expect(spool.backlog()).toEqual({ receipts: 3, bytes: 3 * finishedRun(job(0)).outputs.length })
  })

  test('starts another batch after 4,096 receipts', () => {
    spool.append(runs(0, 4_097))
    expect(spool.idsOf(0)).toHaveLength(4_096)
    expect(indexes(1)).toEqual([0])
  })

  test('puts receipts into a later batch once one is closed', () => {
    spool.append(runs(0, 2))
    spool.close(0)
    spool.append(runs(2, 1))
    expect(jobs(0)).toEqual([job(0), job(1)])
    expect(jobs(1)).toEqual([job(2)])
    expect(indexes(1)).toEqual([0])
  })

  test('adds nothing to a batch that was sealed before a restart', () => {
    spool.append(runs(0, 1))
    spool.close(0)
    spool.seal(0, sealed(0))
    reopen()
    spool.append(runs(1, 1))
    expect(jobs(0)).toEqual([job(0)])
    expect(jobs(1)).toEqual([job(1)])
    expect(spool.sealed(0)).toEqual({
      header: Buffer.from(sealed(0).header),
      signature: Buffer.from(sealed(0).signature),
    })
  })

  test('closes the gap of a dropped receipt, and gives back those that are others now', () => {
    const ids = spool.append(runs(0, 4))
    spool.seal(0, sealed(0))
    expect(spool.drop(ids[1] ?? -1)).toEqual([ids[2], ids[3]])
    expect(jobs(0)).toEqual([job(0), job(2), job(3)])
    expect(indexes(0)).toEqual([0, 1, 2])
    expect(spool.sealed(0)).toBeNull()
    expect(spool.drop(ids[1] ?? -1)).toEqual([])
  })

  test('moves the second half of a batch behind the last one', () => {
    const ids = spool.append(runs(0, 3))
    spool.close(0)
    spool.seal(0, sealed(0))
    spool.append(runs(3, 1))
    expect(spool.split(0)).toEqual([ids[2]])
    expect(jobs(0)).toEqual([job(0), job(1)])
    expect(jobs(1)).toEqual([job(3), job(2)])
    expect(indexes(1)).toEqual([0, 1])
    expect(spool.sealed(0)).toBeNull()
  })

  test('keeps a sealed header until it is unsealed', () => {
    spool.append(runs(0, 1))
    spool.seal(0, sealed(7))
    expect(() => spool.seal(0, sealed(8))).toThrow()
    spool.unseal(0)
    expect(spool.sealed(0)).toBeNull()
    spool.seal(0, sealed(8))
  })

  test('forgets an acknowledged batch, and goes on behind it', () => {
    spool.append(runs(0, 2))
    spool.close(0)
    spool.append(runs(2, 1))
    spool.seal(0, sealed(5))
    spool.acknowledge(0, new Uint8Array([1]))
    reopen()
    expect(spool.head()).toEqual({ sequence: 6, previous: submissionId(sealed(5).header) })
    expect(spool.oldestBatch()).toEqual({ batch: 1, receipts: 1 })
    expect(spool.sealed(0)).toBeNull()
  })

  test('acknowledges only what is sealed', () => {
    spool.append(runs(0, 1))
    expect(() => spool.acknowledge(0, new Uint8Array([1]))).toThrow()
    expect(spool.oldestBatch()).toEqual({ batch: 0, receipts: 1 })
  })

  test('appends all runs or none', () => {
    const broken = { ...finishedRun(job(1)), startedMs: 0.5 }
    expect(() => spool.append([finishedRun(job(0)), broken])).toThrow()
    expect(spool.ids()).toEqual([])
  })

  test('is brought to the disk, new or opened again, unless its write-ahead log was taken away', async () => {
    spool.append(runs(0, 1))
    await spool.sync()
    reopen()
    await spool.sync()
    rmSync(`${path()}-wal`)
    await expect(spool.sync()).rejects.toMatchObject({ code: 'spool_unwritable', cause: { code: 'ENOENT' } })
  })

  test('is held by one opener at a time', () => {
    expect(() => openSpool(path())).toThrow(
      expect.objectContaining({ name: 'SpoolError', code: 'spool_in_use' }),
    )
  })

  test('refuses a file that is no database', () => {
    const other = join(folder, 'other.sqlite')
    writeFileSync(other, 'not a database at all, and long enough to look like one'.repeat(20))
    expect(() => openSpool(other)).toThrow(expect.objectContaining({ code: 'spool_unreadable' }))
    expect(() => openSpool(folder)).toThrow(expect.objectContaining({ code: 'spool_unreadable' }))
  })
})
