/** The chain of seals, followed from genesis; pure, and nothing in the file is believed (DESIGN §6). */
import type { Outpoint } from '../../anchor/anchor-transaction.ts'
import { parseTransaction } from '../../anchor/parse-transaction.ts'
import { EntryError, type EntryOf, parseEntry } from '../log/entry.ts'
import { txidText } from '../log/txid.ts'
import { verifierKeyOf } from '../monitor/verifier-key.ts'
import type { AnchorChainReader } from './anchor-chain-reader.ts'
import type { AnchorChainReport } from './anchor-chain-report.ts'
import type { AnchorsFile } from './anchors-file.ts'
import { type ChainChecklist, given, openChainChecklist } from './chain-checklist.ts'
import { checkAnchor, type Standing } from './check-anchor.ts'

/** Never throws for what is in the file. */
export function checkAnchorChain(file: AnchorsFile, reader: AnchorChainReader = {}): AnchorChainReport {
  const list = openChainChecklist()
  const genesis = checkGenesis(list, file, reader)
  let standing: Standing = { seal: genesis && firstSeal(genesis), head: null, height: 0, position: -1 }
  for (const [at, anchor] of file.anchors.entries()) {
    standing = checkAnchor(list, genesis, anchor, at, standing, reader)
  }
  list.check('last_seal', null, () => {
    if (!given(reader.lastSealUnspent, 'no node was asked')) {
      throw new Error('the last seal is spent, by an anchor newer than these or by nobody who may')
    }
  })
  const checks = list.results()
  return {
    ok: checks.every(({ ok }) => ok !== false),
    complete: checks.every(({ ok }) => ok === true),
    break: list.firstBreak(),
    checks,
    origin: genesis?.origin ?? null,
    network: genesis?.network ?? null,
    method: genesis?.method ?? null,
    anchors: file.anchors.length,
    size: standing.head?.size ?? null,
    height: file.anchors.at(-1)?.height ?? null,
    seal: standing.seal,
  }
}

/** The file's genesis. Throws EntryError. */
export function readGenesis({ genesis }: AnchorsFile): EntryOf<'genesis'> {
  const entry = parseEntry(genesis)
  if (entry.kind !== 'genesis') throw new EntryError(`of kind ${entry.kind}, not genesis`)
  return entry
}

/** The coin that the next anchor has to spend, as the file has it; null where its last transaction can't be read. Throws EntryError. */
export function lastSealOf(file: AnchorsFile): Outpoint | null {
  const last = file.anchors.at(-1)
  if (last === undefined) return firstSeal(readGenesis(file))
  const transaction = parseTransaction(last.transaction)
  return transaction && { txid: transaction.getId(), vout: 0 }
}

function firstSeal({ seal }: EntryOf<'genesis'>): Outpoint {
  return { txid: txidText(seal.txid), vout: seal.vout }
}

function checkGenesis(
  list: ChainChecklist,
  file: AnchorsFile,
  { verifierKey, log }: AnchorChainReader,
): EntryOf<'genesis'> | null {
  const genesis = list.check('genesis', null, () => readGenesis(file))
  list.check('log_genesis', null, () => {
    const { genesis: first } = given(log, 'no log was given')
    if (first === null || Buffer.compare(first, file.genesis) !== 0) {
      throw new Error("the log's first entry is not this genesis")
    }
  })
  list.check('log_key', null, () => {
    const own = verifierKeyOf(given(genesis))
    if (given(verifierKey, "only the file itself vouches for the log's key") !== own) {
      throw new Error(`genesis names ${own}`)
    }
  })
  return genesis
}
