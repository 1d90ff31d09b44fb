import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import { applySchema } from '../store/open-database.ts'
import { checkRightEdge } from './check-right-edge.ts'
import { encodeCheckpoint } from './checkpoint.ts'
import { encodeEntryBundle, MAX_ENTRY_BYTES } from './entry-bundle.ts'
import { LogError } from './log-error.ts'
import { type LogRows, openLogRows } from './log-rows.ts'
import { noteSigner } from './note-signer.ts'
import { completedNodes, leafHash, proveRecord, proveTree, treeHash } from './rfc6962.ts'
import { signNote } from './sign-note.ts'
import { TILE_HEIGHT, TILE_WIDTH } from './tile.ts'

const SCHEMA = readFileSync(new URL('./log-schema.sql', import.meta.url), 'utf8')

/**
 * The append-only log: an RFC 6962 tree, served as C2SP tlog-tiles. It remembers nothing that isn't in the tables,
 * so a transaction that rolls back leaves no trace. What the log doesn't have throws LogError `out_of_range`.
 */
export interface LogStore {
  readonly origin: string
  /** C2SP verifier key: what those who check this log's checkpoints are given. */
  readonly verifierKey: string
  /**
   * Appends an entry of at most 65,535 bytes and returns its index. Inside the caller's transaction, so that it
   * commits with the state that follows from it. Throws LogError `entry_too_large`.
   */
  append(entry: Uint8Array): number
  /** Entries, those of an open transaction included. */
  size(): number
  /** 32 bytes, over the first `size` entries; over all without. */
  root(size?: number): Uint8Array
  entry(index: number): Uint8Array
  /** Entries [from, to), in order. The database may be written between two of them. */
  entries(from: number, to: number): IterableIterator<Uint8Array>
  /** RFC 6962 §2.1.1 audit path, for `checkRecord`. */
  proveRecord(index: number, size: number): Uint8Array[]
  /** RFC 6962 §2.1.2 consistency proof, for `checkTree`; 1 ≤ oldSize ≤ newSize. */
  proveTree(oldSize: number, newSize: number): Uint8Array[]
  /**
   * The signed C2SP tlog-checkpoint over the first `size` entries; over all without. Outside of transactions: only what
   * is durable is signed. An earlier head is the same tree's, so signing it anew is no fork.
   */
  checkpoint(size?: number): string
  /** C2SP tlog-tiles: `width` hashes of 32 bytes; a full tile without. */
  tile(level: number, n: number, width?: number): Uint8Array
  /** C2SP tlog-tiles: `width` entries, for `parseEntryBundle`; a full bundle without. */
  entryBundle(n: number, width?: number): Uint8Array
}

interface LogOptions {
  /** From `openDatabase`; the caller closes it. */
  readonly db: Database
  /** The log's name, which is its key's name in signed notes. */
  readonly origin: string
  /** The Ed25519 seed that signs checkpoints, 32 bytes. */
  readonly seed: Uint8Array
}

/**
 * Opens the log in `db`, or starts it there.
 *
 * @throws LogError `log_foreign`, `log_corrupt`; NoteError `key_malformed` for an origin that can't name a key
 */
export function openLog({ db, origin, seed }: LogOptions): LogStore {
  const signer = noteSigner(origin, seed)
  applySchema(db, SCHEMA)
  claimIdentity(db, signer.verifierKey)
  const rows = openLogRows(db)
  checkRightEdge(rows)
  let latest: { readonly size: number; readonly note: string } | undefined

  function checkAscending(what: string, ...bounds: number[]): void {
    const size = rows.size()
    const ascending = [0, ...bounds].every(
      (bound, i) => Number.isSafeInteger(bound) && bound <= (bounds[i] ?? size),
    )
    if (!ascending) throw new LogError('out_of_range', `this log of ${size} entries has no ${what}`)
  }

  return {
    origin,
    verifierKey: signer.verifierKey,
    size: rows.size,

    append(entry) {
      assert(db.inTransaction, 'an entry commits with the state that follows from it')
      if (entry.length > MAX_ENTRY_BYTES) {
        throw new LogError(
          'entry_too_large',
          `an entry of ${entry.length} bytes; at most ${MAX_ENTRY_BYTES} fit`,
        )
      }
      const index = rows.size()
      rows.insert(index, entry, completedNodes(index, leafHash(entry), rows.node))
      return index
    },

    root(size = rows.size()) {
      checkAscending(`tree of size ${size}`, size)
      return treeHash(size, rows.node)
    },

    entry(index) {
      checkAscending(`entry ${index}`, index, index + 1)
      return rows.entry(index)
    },

    entries(from, to) {
      checkAscending(`entries ${from} to ${to}`, from, to)
      return readEntries(rows, from, to)
    },

    proveRecord(index, size) {
      checkAscending(`entry ${index} in a tree of size ${size}`, index, index + 1, size)
      return proveRecord(index, size, rows.node)
    },

    proveTree(oldSize, newSize) {
      checkAscending(`trees of sizes 1 ≤ ${oldSize} ≤ ${newSize}`, 1, oldSize, newSize)
      return proveTree(oldSize, newSize, rows.node)
    },

    checkpoint(size = rows.size()) {
      assert(!db.inTransaction, 'only a committed head is signed')
      if (latest?.size !== size) {
        checkAscending(`head of ${size} entries`, size)
        const text = encodeCheckpoint({ origin, size, root: treeHash(size, rows.node) })
        latest = { size, note: signNote(text, [signer]) }
      }
      return latest.note
    },

    tile(level, n, width = TILE_WIDTH) {
      assertWidth(width)
      const first = n * TILE_WIDTH
      const entriesPerHash = 2 ** (TILE_HEIGHT * level)
      checkAscending(`tile ${n} of level ${level}`, first * entriesPerHash, (first + width) * entriesPerHash)
      return Buffer.concat(Array.from({ length: width }, (_, i) => rows.node(TILE_HEIGHT * level, first + i)))
    },

    entryBundle(n, width = TILE_WIDTH) {
      assertWidth(width)
      const first = n * TILE_WIDTH
      checkAscending(`entry bundle ${n}`, first, first + width)
      return encodeEntryBundle(rows.entries(first, width))
    },
  }
}

function assertWidth(width: number): void {
  assert(
    Number.isInteger(width) && 1 <= width && width <= TILE_WIDTH,
    'a tile has 1 to 256 hashes or entries',
  )
}

/** One query for each entry: SQLite's own iterator would bar writes until it is drained. */
function* readEntries(rows: LogRows, from: number, to: number): Generator<Uint8Array> {
  for (let index = from; index < to; index += 1) yield rows.entry(index)
}

/** A database holds one log, under one origin and key: signing another's entries would fork it. */
function claimIdentity(db: Database, verifierKey: string): void {
  const select = db.prepare<[], string>('SELECT verifier_key FROM log_identity').pluck()
  const claim = db.transaction(() => {
    const stored = select.get()
    if (stored === undefined) db.prepare('INSERT INTO log_identity VALUES (1, ?)').run(verifierKey)
    else if (stored !== verifierKey) {
      throw new LogError('log_foreign', `the database holds the log of ${stored}, not of ${verifierKey}`)
    }
  })
  claim.immediate()
}
