import type { WatchedCoin } from '../../anchor/watch-wallet.ts'
import type { Config } from '../config/config-schema.ts'
import type { EntryOf } from '../log/entry.ts'
import { parseEntry } from '../log/entry.ts'
import { parseInheritedBalances } from '../log/inherited-balances.ts'
import type { LogStore } from '../log/log-store.ts'
import { txidBytes } from '../log/txid.ts'
import type { Books } from './books.ts'
import { record } from './books.ts'
import { bookInheritance } from './inheritance.ts'
import type { Inheritance } from './succession-file.ts'

export type Genesis = EntryOf<'genesis'>

/** What genesis says of the keys: public halves alone. */
interface GenesisKeys {
  readonly internalKey: Uint8Array
  readonly logKey: Uint8Array
  readonly auditor: Uint8Array
  readonly treasury: string
}

/** The log's first entry, or null while the log is empty. */
export function readGenesis(log: Pick<LogStore, 'size' | 'entry'>): Genesis | null {
  if (log.size() === 0) return null
  const entry = parseEntry(log.entry(0))
  if (entry.kind !== 'genesis') throw new Error(`entry 0 is of kind ${entry.kind}`)
  return entry
}

/** Opens the log: its first entry names the first seal and everything that is fixed for ever, and books what an older log left. */
export function writeGenesis(
  books: Books,
  config: Config,
  keys: GenesisKeys,
  seal: WatchedCoin,
  inheritance: Inheritance | null,
): Genesis {
  const { network, origin, epoch, subsidy } = config
  const genesis: Genesis = {
    v: 1,
    kind: 'genesis',
    network,
    method: config.anchor.method,
    origin,
    ...keys,
    seal: { txid: txidBytes(seal.txid), vout: seal.vout, sats: seal.valueSats },
    epoch,
    subsidy,
    auditBasisPoints: config.shares.auditBasisPoints,
    feeReserveSats: config.reserve.feeSats,
    succeeds: inheritance?.succeeds ?? null,
  }
  if (inheritance !== null) books.blobs.putSync(inheritance.blob)
  record(books, genesis, (entryIndex) => {
    if (inheritance !== null) bookInheritance(books, inheritance.blob, entryIndex)
  })
  return genesis
}

/** Of the blocks that hold our coins; null: none does yet. Those of a log that this one succeeds may be as old as the chain. */
export function startOf(
  genesis: Genesis | null,
  inheritance: Inheritance | null,
  treasuryAddress: string,
): number | null {
  if (genesis !== null) return genesis.succeeds === null ? genesis.epoch.startHeight : 0
  if (inheritance === null) return null
  return parseInheritedBalances(inheritance.blob).treasury === treasuryAddress ? 0 : null
}

/** The largest coin, then the first by txid and vout: the choice can be repeated. */
export function chooseSeal(coins: readonly WatchedCoin[]): WatchedCoin | null {
  const [best] = coins.toSorted((a, b) => {
    if (a.valueSats !== b.valueSats) return a.valueSats > b.valueSats ? -1 : 1
    return a.txid === b.txid ? a.vout - b.vout : a.txid < b.txid ? -1 : 1
  })
  return best ?? null
}
