import { parseAddress } from '../../anchor/address.ts'
import type { NetworkName } from '../../anchor/network.ts'
import { checkRegistration } from '../../compute/work/worker-registration.ts'
import type { Books } from './books.ts'
import { record } from './books.ts'
import { RefusedError } from './refused-error.ts'

export interface Registration {
  readonly worker: Uint8Array
  readonly address: string
  readonly signature: Uint8Array
}

export interface WorkerRow {
  readonly key: Uint8Array
  readonly address: string
  readonly entryIndex: number
  readonly nextSequence: number
  readonly previous: Uint8Array
}

export interface Registry {
  /** @returns the entry's index, and whether it was written now. Throws RefusedError. */
  register(registration: Registration): { index: number; created: boolean }
  find(key: Uint8Array): WorkerRow | null
  /** Keys registered among the first `size` entries, in byte order: a set that anybody can read from the log. */
  keysAt(size: number): Uint8Array[]
  all(): WorkerRow[]
}

interface Row {
  key: Uint8Array
  address: string
  entry_index: bigint
  next_sequence: bigint
  previous: Uint8Array
}

interface RegistryOptions {
  readonly origin: string
  readonly network: NetworkName
  /** Addresses of the log itself: a payout to one would look like its change, or like a top-up of the seal. */
  readonly reserved: readonly string[]
}

const MAX_WORKERS = 100_000

export function openRegistry(books: Books, options: RegistryOptions): Registry {
  const reserved = options.reserved.map((address) => parseAddress(address, options.network).script)
  const select = books.db.prepare<[Uint8Array], Row>('SELECT * FROM worker WHERE key = ?')
  const selectAll = books.db.prepare<[], Row>('SELECT * FROM worker ORDER BY entry_index')
  const selectKeys = books.db
    .prepare<[number], Uint8Array>('SELECT key FROM worker WHERE entry_index < ? ORDER BY key')
    .pluck()
  const countAll = books.db.prepare<[], bigint>('SELECT count(*) FROM worker').pluck()
  const insert = books.db.prepare('INSERT INTO worker (key, address, entry_index) VALUES (?, ?, ?)')

  function register({ worker, address, signature }: Registration): { index: number; created: boolean } {
    const { script } = parseAddress(address, options.network)
    if (reserved.some((own) => Buffer.compare(own, script) === 0)) {
      throw new RefusedError(
        400,
        'address_reserved',
        "this address is the log's own: no worker is paid there",
      )
    }
    if (!checkRegistration({ worker, address, signature }, options.origin)) {
      throw new RefusedError(
        400,
        'signature_invalid',
        'the registration is not signed by the worker key for this log',
      )
    }
    const known = find(worker)
    if (known !== null) {
      if (known.address === address) return { index: known.entryIndex, created: false }
      throw new RefusedError(409, 'address_differs', `this worker is registered with ${known.address}`)
    }
    if (Number(countAll.get()) >= MAX_WORKERS) {
      throw new RefusedError(503, 'workers_full', `at most ${MAX_WORKERS} workers can register`)
    }
    const index = record(books, { v: 1, kind: 'worker', worker, address, signature }, (entryIndex) => {
      insert.run(worker, address, entryIndex)
      return entryIndex
    })
    return { index, created: true }
  }

  function find(key: Uint8Array): WorkerRow | null {
    const row = select.get(key)
    return row === undefined ? null : toWorker(row)
  }

  return {
    register,
    find,
    keysAt: (size) => selectKeys.all(size),
    all: () => selectAll.all().map(toWorker),
  }
}

function toWorker(row: Row): WorkerRow {
  return {
    key: row.key,
    address: row.address,
    entryIndex: Number(row.entry_index),
    nextSequence: Number(row.next_sequence),
    previous: row.previous,
  }
}
