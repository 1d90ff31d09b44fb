import { randomBytes } from 'node:crypto'
import type { Database } from 'better-sqlite3'
import { plainName } from '../../compute/work/record.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { RefusedError } from './refused-error.ts'

/** operator: everything. read_only: what an operator may read. requester: asks in the name of its account. */
export const ROLES = ['operator', 'read_only', 'requester'] as const
export type Role = (typeof ROLES)[number]

export interface ApiKey {
  readonly role: Role
  /** Unique within its role; a requester's is its account's. */
  readonly name: string
}

interface ListedApiKey extends ApiKey {
  readonly createdMs: number
}

export interface ApiKeys {
  /** The new key, shown this once and kept as a hash. Throws RefusedError `key_name_invalid`, `requester_unknown`, `key_exists`, `keys_full`. */
  add(key: ApiKey, nowMs: number): string
  /** From now on it opens nothing. Throws RefusedError 404 `key_unknown`. */
  revoke(key: ApiKey): void
  /** The next KEYS_PER_PAGE by role and name. */
  list(after: ApiKey | null): ListedApiKey[]
  /** Whose key this is; null without one, and for one that nobody has. */
  lookUp(authorization: string | undefined): ApiKey | null
  /** The same, and null only without authorization. Throws RefusedError 401 `api_key_unknown`. */
  find(authorization: string | undefined): ApiKey | null
}

/** As long as a 256-bit key. */
const API_KEY_BYTES = 32
/** Of those that the operator gives out: people and machines, by hand. Requesters' are bounded by their accounts. */
const MAX_GIVEN_KEYS = 1_000

const KEYS_PER_PAGE = 100

interface Row {
  role: Role
  name: string
  created_ms: bigint
}

export function openApiKeys(db: Database): ApiKeys {
  const insert = db.prepare(
    'INSERT INTO api_key (role, name, key_hash, created_ms) VALUES (?, ?, ?, ?) ON CONFLICT (role, name) DO NOTHING',
  )
  const remove = db.prepare('DELETE FROM api_key WHERE role = ? AND name = ?')
  const selectPage = db.prepare<[string, string], Row>(
    `SELECT role, name, created_ms FROM api_key WHERE (role, name) > (?, ?) ORDER BY role, name LIMIT ${KEYS_PER_PAGE}`,
  )
  const selectByHash = db.prepare<[Uint8Array], Row>(
    'SELECT role, name, created_ms FROM api_key WHERE key_hash = ?',
  )
  const hasAccount = db.prepare('SELECT 1 FROM requester WHERE name = ?').pluck()
  const countGiven = db.prepare<[], bigint>(`SELECT count(*) FROM api_key WHERE role <> 'requester'`).pluck()

  function lookUp(authorization: string | undefined): ApiKey | null {
    const key = /^Bearer ([0-9a-f]{64})$/.exec(authorization ?? '')?.[1]
    // By its hash: how long the search takes tells nothing of a key.
    const row = key === undefined ? undefined : selectByHash.get(sha256(Buffer.from(key, 'hex')))
    return row === undefined ? null : { role: row.role, name: row.name }
  }

  return {
    lookUp,

    add({ role, name }, nowMs) {
      if (!plainName.safeParse(name).success) {
        throw new RefusedError(400, 'key_name_invalid', 'a name is of a-z, 0-9 and -, 64 at most')
      }
      if (role === 'requester' && hasAccount.get(name) === undefined) {
        throw new RefusedError(404, 'requester_unknown', `no requester has an account called ${name}`)
      }
      if (role !== 'requester' && (countGiven.get() ?? 0n) >= MAX_GIVEN_KEYS) {
        throw new RefusedError(409, 'keys_full', `at most ${MAX_GIVEN_KEYS} keys are given out: revoke some`)
      }
      const key = randomBytes(API_KEY_BYTES)
      if (insert.run(role, name, sha256(key), nowMs).changes !== 1) {
        throw new RefusedError(409, 'key_exists', `${name} has a key as ${role}: revoke it first`)
      }
      return key.toString('hex')
    },

    revoke({ role, name }) {
      if (remove.run(role, name).changes !== 1) {
        throw new RefusedError(404, 'key_unknown', `${name} has no key as ${role}`)
      }
    },

    list(after) {
      const rows = selectPage.all(after?.role ?? '', after?.name ?? '')
      return rows.map(({ role, name, created_ms }) => ({ role, name, createdMs: Number(created_ms) }))
    },

    find(authorization) {
      if (authorization === undefined) return null
      const key = lookUp(authorization)
      if (key === null) throw new RefusedError(401, 'api_key_unknown', 'nobody has this API key')
      return key
    },
  }
}
