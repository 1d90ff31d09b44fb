/** A log in an array, served as C2SP tlog-tiles asks, whose operator can do whatever a test likes. */
import { encodeCheckpoint } from '../../../src/log/checkpoint.ts'
import { encodeEntry } from '../../../src/log/entry.ts'
import { encodeEntryBundle } from '../../../src/log/entry-bundle.ts'
import { noteSigner } from '../../../src/log/note-signer.ts'
import { treeHash } from '../../../src/log/rfc6962.ts'
import { signNote } from '../../../src/log/sign-note.ts'
import { parseTilePath } from '../../../src/log/tile.ts'
import type { LogSource } from '../../../src/monitor/log-source.ts'
import { ORIGIN, SEED } from '../log/log-identity.ts'
import { memoryTree } from '../log/memory-tree.ts'

export const SIGNER = noteSigner(ORIGIN, SEED)

export function rootOf(entries: readonly Uint8Array[]): Uint8Array {
  return treeHash(entries.length, memoryTree(entries).readNode)
}

/** The signed head over these entries. */
export function headOf(entries: readonly Uint8Array[], signer = SIGNER): string {
  const checkpoint = { origin: signer.name, size: entries.length, root: rootOf(entries) }
  return signNote(encodeCheckpoint(checkpoint), [signer])
}

/** `entries` under `checkpoint`, the head that is signed over them unless told. */
export function memoryLog(entries: readonly Uint8Array[], checkpoint = headOf(entries)): LogSource {
  return {
    async read(path) {
      if (path === 'checkpoint') return Buffer.from(checkpoint)
      const { level, n, width } = parseTilePath(path)
      const bundle = entries.slice(n * 256, n * 256 + width)
      return level === 'entries' && bundle.length === width ? encodeEntryBundle(bundle) : null
    },
  }
}

/** A genesis by the key of these tests, and entries that are no CBOR: nobody here reads them. */
export function entriesOf(count: number, from = 1): Uint8Array[] {
  const numbered = Array.from({ length: count - 1 }, (_, i) => Buffer.from(`entry ${from + i}`))
  return [GENESIS, ...numbered]
}

const LOG_KEY = new Uint8Array(Buffer.from(SIGNER.verifierKey.split('+').slice(2).join('+'), 'base64')).slice(
  1,
)

/** Everything in it is nobody's; a test that cares puts its own in. */
export const GENESIS_FIELDS = {
  v: 1,
  kind: 'genesis',
  network: 'regtest',
  method: 'dual',
  origin: ORIGIN,
  internalKey: new Uint8Array(32).fill(2),
  logKey: LOG_KEY,
  auditor: new Uint8Array(32).fill(3),
  treasury: 'bcrt1qnobody',
  seal: { txid: new Uint8Array(32).fill(4), vout: 0, sats: 50_000n },
  epoch: {
    startHeight: 0,
    blocks: 6,
    verdictBlocks: 8,
    finalDepth: 2,
    beaconDelay: 1,
    maturityBlocks: 3,
    auditRoundBlocks: 1,
    suspensionBlocks: 12,
  },
  subsidy: { initialMsat: 0n, halvingEpochs: 1, capMsat: 0n },
  auditBasisPoints: 0,
  feeReserveSats: 0n,
  succeeds: null,
} as const

const GENESIS = encodeEntry(GENESIS_FIELDS)
