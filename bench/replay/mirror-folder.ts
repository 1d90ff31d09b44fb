import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { hex } from '../../compute/work/hex.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { checkpointIn, encodeCheckpoint } from '../../src/log/checkpoint.ts'
import { type Entry, encodeEntry } from '../../src/log/entry.ts'
import { encodeEntryBundle } from '../../src/log/entry-bundle.ts'
import type { NoteSigner } from '../../src/log/note-signer.ts'
import { leafHash } from '../../src/log/rfc6962.ts'
import { signNote } from '../../src/log/sign-note.ts'
import { TILE_WIDTH, tilePath } from '../../src/log/tile.ts'
import { logInFolder } from '../../src/monitor/log-source.ts'
import { readCheckpoint, readEntries } from '../../src/monitor/read-entries.ts'
import { openTreeEdge } from '../../src/monitor/tree-edge.ts'
import { headersFromFile } from '../../src/proof/headers-from-file.ts'
import { chainOfHeaders } from '../../src/replay/replay-chain.ts'
import type { ReplayChain, ReplaySource } from '../../src/replay/replay-source.ts'
import { mineEvenly } from '../mine-evenly.ts'

const BLOBS = 'blobs'
const ANCHORS = 'anchors.json'
const HEADERS = 'headers'
const BLOCK_SECONDS = 600

const anchorList = z.array(z.strictObject({ height: z.int(), size: z.int() }))

/** A log that is written entry by entry as a mirror has it, with its blobs and its anchors' places beside it. */
export interface MirrorWriter {
  /** @returns its index */
  append(entry: Entry): number
  /** @returns the digest that names the blob */
  put(blob: Uint8Array): Uint8Array
  /** Everything so far is committed by the block at `height`. */
  anchor(height: number): void
  /** Signs the head. */
  close(): void
}

export function openMirrorWriter(folder: string, signer: NoteSigner): MirrorWriter {
  const tree = openTreeEdge()
  const anchors: { height: number; size: number }[] = []
  let bundle: Uint8Array[] = []
  mkdirSync(join(folder, BLOBS), { recursive: true })

  function writeBundle(): void {
    const n = Math.floor((tree.size() - 1) / TILE_WIDTH)
    const path = join(folder, tilePath({ level: 'entries', n, width: bundle.length }))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, encodeEntryBundle(bundle))
    bundle = []
  }

  return {
    anchor: (height) => void anchors.push({ height, size: tree.size() }),

    append(entry) {
      const bytes = encodeEntry(entry)
      tree.append(leafHash(bytes))
      bundle.push(bytes)
      if (bundle.length === TILE_WIDTH) writeBundle()
      return tree.size() - 1
    },

    put(blob) {
      const digest = sha256(blob)
      writeFileSync(join(folder, BLOBS, hex(digest)), blob)
      return digest
    },

    close() {
      if (bundle.length > 0) writeBundle()
      const text = encodeCheckpoint({ origin: signer.name, size: tree.size(), root: tree.root() })
      writeFileSync(join(folder, 'checkpoint'), signNote(text, [signer]))
      writeFileSync(join(folder, ANCHORS), JSON.stringify(anchors))
    },
  }
}

/** Real regtest headers from block 0 to `tipHeight`. */
export function writeHeaders(folder: string, tipHeight: number): void {
  writeFileSync(join(folder, HEADERS), mineEvenly(tipHeight, BLOCK_SECONDS))
}

/** The blocks of the folder, checked. `blockAt`: its hash, internal byte order. */
export async function openChain(
  folder: string,
): Promise<{ chain: ReplayChain; blockAt: (height: number) => Promise<Uint8Array> }> {
  const chain = chainOfHeaders(await headersFromFile(join(folder, HEADERS), 'regtest'))
  const blockAt = async (height: number) => {
    const hash = await chain.blockHash(height)
    assert(hash !== null, `block ${height} is mined`)
    return hash
  }
  return { chain, blockAt }
}

/** The folder as `assay audit log` reads a mirror and headers: entries and blobs one by one, from the disk. */
export async function sourceInFolder(folder: string): Promise<ReplaySource> {
  const log = logInFolder(folder)
  const checkpoint = await readCheckpoint(log)
  const { size } = checkpointIn(checkpoint)
  return {
    checkpoint,
    verifierKey: null,
    entries: () => readEntries(log, { from: 0, to: size, size }),
    async blob(digest) {
      const bytes = await readFile(join(folder, BLOBS, hex(digest)))
      assert.equal(hex(sha256(bytes)), hex(digest))
      return bytes
    },
    anchors: anchorList.parse(JSON.parse(readFileSync(join(folder, ANCHORS), 'utf8'))),
    followAnchors: null,
    chain: (await openChain(folder)).chain,
    claims: null,
    predecessor: null,
  }
}
