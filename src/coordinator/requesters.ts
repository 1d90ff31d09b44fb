import assert from 'node:assert'
import { parseAddress } from '../../anchor/address.ts'
import type { NetworkName } from '../../anchor/network.ts'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import { MAX_DEPOSIT_KEYS } from '../keystore/derive-keys.ts'
import { type AccountName, requesterAccount } from '../ledger/accounts.ts'
import { requesterName } from '../log/entry.ts'
import { openApiKeys } from './api-keys.ts'
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
  /** In the order of names, the next page after `name`; '' starts. */
  list(name: string): Requester[]
  /** Null without authorization. Throws RefusedError 401 `api_key_unknown`, 403 `role_insufficient`. */
  authenticate(authorization: string | undefined): Requester | null
  /** Whose a coin of the treasury is, by its script; null where nobody has that address. */
  accountOf(script: Uint8Array): AccountName | null
  /** Under which of the treasury's keys it is: 0 its own, else the account's deposit key; null as above. */
  keyIndexOf(script: Uint8Array): number | null
}

interface Row {
  number: bigint
  name: string
  deposit_address: string
  refund_address: string
  entry_index: bigint
}

const REQUESTERS_PER_PAGE = 100

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
  const apiKeys = openApiKeys(db)
  const { network } = parts
  const scriptOf = (address: string) => Buffer.from(parseAddress(address, network).script).toString('hex')
  const treasury = scriptOf(parts.treasury)
  const reserved = new Set(parts.reserved.map(scriptOf))
  const columns = 'number, name, deposit_address, refund_address, entry_index'
  const select = db.prepare<[string], Row>(`SELECT ${columns} FROM requester WHERE name = ?`)
  const selectAll = db.prepare<[], Row>(`SELECT ${columns} FROM requester ORDER BY number`)
  const selectPage = db.prepare<[string], Row>(
    `SELECT ${columns} FROM requester WHERE name > ? ORDER BY name LIMIT ${REQUESTERS_PER_PAGE}`,
  )
  const nextNumber = db.prepare<[], bigint>('SELECT coalesce(max(number), 0) + 1 FROM requester').pluck()
  const insert = db.prepare(
    `INSERT INTO requester (number, name, deposit_address, refund_address, entry_index) VALUES (?, ?, ?, ?, ?)`,
  )
  const owners = new Map(selectAll.all().map((row) => [scriptOf(row.deposit_address), ownerOf(row)] as const))
  const treasuryOwner = { account: 'reserve', keyIndex: 0 } as const

  function findOwner(script: Uint8Array): { account: AccountName; keyIndex: number } | null {
    const name = Buffer.from(script).toString('hex')
    return name === treasury ? treasuryOwner : (owners.get(name) ?? null)
  }

  function open(requester: string, refundAddress: string) {
    if (!requesterName.safeParse(requester).success) {
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
    const entry = { v: 1, kind: 'requester', requester, address, refund: refundAddress } as const
    const apiKey = record(books, entry, (entryIndex) => {
      insert.run(number, requester, address, refundAddress, entryIndex)
      return apiKeys.add({ role: 'requester', name: requester }, Date.now())
    })
    const row = select.get(requester)
    if (row === undefined) throw new Error('an account that was opened a moment ago is there')
    owners.set(scriptOf(address), ownerOf(row))
    return { opened: toRequester(row), apiKey }
  }

  return {
    open,
    list: (name) => selectPage.all(name).map(toRequester),
    authenticate(authorization) {
      const key = apiKeys.find(authorization)
      if (key === null) return null
      if (key.role !== 'requester') {
        throw new RefusedError(
          403,
          'role_insufficient',
          `a key of the role ${key.role} asks in nobody's name`,
        )
      }
      const row = select.get(key.name)
      assert(row !== undefined, `the account of the key ${key.name} is there`)
      return toRequester(row)
    },
    accountOf: (script) => findOwner(script)?.account ?? null,
    keyIndexOf: (script) => findOwner(script)?.keyIndex ?? null,
  }
}

function ownerOf({ name, number }: Row): { account: AccountName; keyIndex: number } {
  return { account: requesterAccount(name), keyIndex: Number(number) }
}

function toRequester(row: Row): Requester {
  return {
    requester: row.name,
    depositAddress: row.deposit_address,
    refundAddress: row.refund_address,
    entryIndex: Number(row.entry_index),
  }
}
