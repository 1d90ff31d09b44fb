import { randomBytes } from 'node:crypto'
import { parseAddress } from '../../anchor/address.ts'
import type { NetworkName } from '../../anchor/network.ts'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { MAX_DEPOSIT_KEYS } from '../keystore/derive-keys.ts'
import { type AccountName, requesterAccount } from '../ledger/accounts.ts'
import type { Books } from './books.ts'
import { record } from './books.ts'
import { RefusedError } from './refused-error.ts'

export interface Requester {
  readonly requester: string
  /** Its own address at the treasury: what comes there is its balance. */
  readonly depositAddress: string
  /** Where what is left is paid back. */
  readonly refundAddress: string
  readonly entryIndex: number
}

export interface Requesters {
  /** Opens an account. The API key is shown this once and kept as a hash. Throws RefusedError, AddressError. */
  open(requester: string, refundAddress: string): { opened: Requester; apiKey: string }
  /** Null without authorization. Throws RefusedError 401 `api_key_unknown`. */
  authenticate(authorization: string | undefined): Requester | null
  /** Whose a coin of the treasury is, by its script; null where nobody has that address. */
  accountOf(script: Uint8Array): AccountName | null
}

interface Row {
  name: string
  deposit_address: string
  refund_address: string
  entry_index: bigint
}

/** Whoever asks without a key; no account can be called so. */
export const ANONYMOUS = 'anonymous'

const NAME = /^[a-z0-9-]{1,64}$/
/** As long as a 256-bit key. */
const API_KEY_BYTES = 32

export function openRequesters(
  books: Books,
  parts: {
    network: NetworkName
    treasury: string
    /** Addresses of the log itself: none of them is anybody's to be paid back at. */
    reserved: readonly string[]
    /** x-only, BIP-86, from 1. */
    depositKey: (number: number) => Uint8Array
  },
): Requesters {
  const { db } = books
  const { network } = parts
  const scriptOf = (address: string) => Buffer.from(parseAddress(address, network).script).toString('hex')
  const treasury = scriptOf(parts.treasury)
  const reserved = new Set(parts.reserved.map(scriptOf))
  const columns = 'name, deposit_address, refund_address, entry_index'
  const select = db.prepare<[string], Row>(`SELECT ${columns} FROM requester WHERE name = ?`)
  const selectByKey = db.prepare<[Uint8Array], Row>(`SELECT ${columns} FROM requester WHERE key_hash = ?`)
  const selectAll = db.prepare<[], Row>(`SELECT ${columns} FROM requester ORDER BY number`)
  const nextNumber = db.prepare<[], bigint>('SELECT coalesce(max(number), 0) + 1 FROM requester').pluck()
  const insert = db.prepare(
    `INSERT INTO requester (number, name, key_hash, deposit_address, refund_address, entry_index)
     VALUES (?, ?, ?, ?, ?, ?)`,
  )
  const owners = new Map(
    selectAll.all().map(({ deposit_address, name }) => [scriptOf(deposit_address), requesterAccount(name)]),
  )

  function open(requester: string, refundAddress: string) {
    if (!NAME.test(requester) || requester === ANONYMOUS) {
      throw new RefusedError(400, 'requester_name_invalid', 'a name is of a-z, 0-9 and -, 64 at most')
    }
    const refund = scriptOf(refundAddress)
    if (reserved.has(refund) || owners.has(refund)) {
      throw new RefusedError(400, 'address_reserved', "this address is the log's own: nobody is paid there")
    }
    // What a closed log owed to this name is its owner's, whoever comes first.
    const isOwed = books.ledger.balance(requesterAccount(requester)).postedMsat > 0n
    if (isOwed || select.get(requester) !== undefined) {
      throw new RefusedError(409, 'requester_exists', `${requester} has an account already`)
    }
    const number = Number(nextNumber.get())
    if (number > MAX_DEPOSIT_KEYS) {
      throw new RefusedError(503, 'requesters_full', `at most ${MAX_DEPOSIT_KEYS} accounts can be opened`)
    }
    const address = taprootAddress(parts.depositKey(number), network)
    const apiKey = randomBytes(API_KEY_BYTES).toString('hex')
    const entry = { v: 1, kind: 'requester', requester, address, refund: refundAddress } as const
    record(books, entry, (entryIndex) =>
      insert.run(number, requester, hashOf(apiKey), address, refundAddress, entryIndex),
    )
    owners.set(scriptOf(address), requesterAccount(requester))
    const row = select.get(requester)
    if (row === undefined) throw new Error('an account that was opened a moment ago is there')
    return { opened: toRequester(row), apiKey }
  }

  return {
    open,
    authenticate(authorization) {
      if (authorization === undefined) return null
      const key = /^Bearer ([0-9a-f]{64})$/.exec(authorization)?.[1]
      // By its hash: how long the search takes tells nothing of a key.
      const row = key === undefined ? undefined : selectByKey.get(hashOf(key))
      if (row === undefined) throw new RefusedError(401, 'api_key_unknown', 'no requester has this API key')
      return toRequester(row)
    },
    accountOf(script) {
      const name = Buffer.from(script).toString('hex')
      return name === treasury ? 'reserve' : (owners.get(name) ?? null)
    },
  }
}

function hashOf(apiKey: string): Uint8Array {
  return sha256(Buffer.from(apiKey, 'hex'))
}

function toRequester(row: Row): Requester {
  return {
    requester: row.name,
    depositAddress: row.deposit_address,
    refundAddress: row.refund_address,
    entryIndex: Number(row.entry_index),
  }
}
