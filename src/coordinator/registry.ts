import { parseAddress } from '../../anchor/address.ts'
import { canCheckMessages, checkSignedMessage } from '../../anchor/bip322.ts'
import type { NetworkName } from '../../anchor/network.ts'
import { checkRegistration } from '../../compute/work/worker-registration.ts'
import { type AddressChange, addressChangeMessage } from '../log/address-change.ts'
import { isPending, type PayTo, type PayToView, payToAt } from '../rules/pay-to.ts'
import type { Books } from './books.ts'
import { record } from './books.ts'
import { RefusedError } from './refused-error.ts'

export interface Registration {
  readonly worker: Uint8Array
  readonly address: string
  readonly thresholdSats: bigint
  readonly signature: Uint8Array
}

/** `signature`: a BIP-322 one by the old address, as a serialised witness stack. */
type SignedChange = AddressChange & { readonly signature: Uint8Array }

interface WorkerRow {
  readonly key: Uint8Array
  /** As registered. */
  readonly address: string
  readonly entryIndex: number
  readonly nextSequence: number
  readonly previous: Uint8Array
}

export interface Registry {
  /** @returns the entry's index, and whether it was written now. Throws RefusedError. */
  register(registration: Registration): { index: number; created: boolean }
  /** @returns the entry's index. Throws RefusedError. */
  changeAddress(change: SignedChange, tip: number, view: PayToView): number
  /** Where it is paid, as it was declared; empty for a key that isn't registered. */
  declarations(key: Uint8Array): PayTo[]
  find(key: Uint8Array): WorkerRow | null
  /** Keys registered among the first `size` entries, in byte order: a set that anybody can read from the log. */
  keysAt(size: number): Uint8Array[]
  /** All, in byte order. */
  keys(): Uint8Array[]
  all(): WorkerRow[]
}

interface Row {
  key: Uint8Array
  address: string
  threshold_sats: bigint
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

interface ChangeRow {
  entry_index: bigint
  address: string
  threshold_sats: bigint
  replaces: bigint
  expiry_height: bigint
}

const MAX_WORKERS = 100_000
/** A week: nobody leaves a signature lying about for longer. */
const MAX_EXPIRY_BLOCKS = 1_008

export function openRegistry(books: Books, options: RegistryOptions): Registry {
  const reserved = options.reserved.map((address) => parseAddress(address, options.network).script)
  const select = books.db.prepare<[Uint8Array], Row>('SELECT * FROM worker WHERE key = ?')
  const selectAll = books.db.prepare<[], Row>('SELECT * FROM worker ORDER BY entry_index')
  const selectKeys = books.db
    .prepare<[number], Uint8Array>('SELECT key FROM worker WHERE entry_index < ? ORDER BY key')
    .pluck()
  const countAll = books.db.prepare<[], bigint>('SELECT count(*) FROM worker').pluck()
  const insert = books.db.prepare(
    'INSERT INTO worker (key, address, threshold_sats, entry_index) VALUES (?, ?, ?, ?)',
  )
  const selectChanges = books.db.prepare<[Uint8Array], ChangeRow>(
    'SELECT * FROM address_change WHERE worker = ? ORDER BY entry_index',
  )
  const insertChange = books.db.prepare<[bigint | number, AddressChange]>(
    `INSERT INTO address_change (entry_index, worker, address, threshold_sats, replaces, expiry_height)
     VALUES (?, @worker, @address, @thresholdSats, @replaces, @expiryHeight)`,
  )

  /** Throws AddressError, RefusedError. */
  function assertPayable(address: string): void {
    const { script } = parseAddress(address, options.network)
    if (reserved.some((own) => Buffer.compare(own, script) === 0)) {
      throw new RefusedError(
        400,
        'address_reserved',
        "this address is the log's own: no worker is paid there",
      )
    }
  }

  function register(registration: Registration): { index: number; created: boolean } {
    const { worker, address, thresholdSats } = registration
    assertPayable(address)
    if (!checkRegistration(registration, options.origin)) {
      throw new RefusedError(
        400,
        'signature_invalid',
        'the registration is not signed by the worker key for this log',
      )
    }
    const declared = declarations(worker)
    const newest = declared.at(-1)
    if (newest !== undefined) {
      const same = declared.findLast((one) => one.address === address && one.thresholdSats === thresholdSats)
      if (same !== undefined) return { index: same.entry, created: false }
      throw new RefusedError(
        409,
        'address_differs',
        `this worker is registered with ${newest.address} and a threshold of ${newest.thresholdSats} sat: ` +
          'give these, or change them by `assay worker address`',
      )
    }
    if (Number(countAll.get()) >= MAX_WORKERS) {
      throw new RefusedError(503, 'workers_full', `at most ${MAX_WORKERS} workers can register`)
    }
    const index = record(books, { v: 1, kind: 'worker', ...registration }, (entryIndex) => {
      insert.run(worker, address, thresholdSats, entryIndex)
      return entryIndex
    })
    return { index, created: true }
  }

  function changeAddress({ signature, ...change }: SignedChange, tip: number, view: PayToView): number {
    const { worker, address, replaces, expiryHeight } = change
    assertPayable(address)
    if (expiryHeight <= tip || expiryHeight > tip + MAX_EXPIRY_BLOCKS) {
      throw new RefusedError(
        400,
        'expiry_out_of_range',
        `expires at block ${expiryHeight}; the tip is ${tip}, and at most ${MAX_EXPIRY_BLOCKS} blocks are taken`,
      )
    }
    const declared = declarations(worker)
    const inForce = payToAt(declared, tip, view)
    if (inForce === null) throw new RefusedError(404, 'worker_unknown', 'this key is not registered')
    const newest = declared.at(-1)
    if (newest !== undefined && isPending(newest, tip, view)) {
      throw new RefusedError(409, 'address_pending', `the change in entry ${newest.entry} is not decided yet`)
    }
    if (inForce.entry !== replaces) {
      throw new RefusedError(409, 'replaces_mismatch', `entry ${inForce.entry} says where it is paid`)
    }
    const { script } = parseAddress(inForce.address, options.network)
    if (!canCheckMessages(script)) {
      throw new RefusedError(
        400,
        'address_unsigning',
        `messages of ${inForce.address} can't be checked: only P2WPKH and P2TR`,
      )
    }
    if (!checkSignedMessage(addressChangeMessage(change, options.origin), script, signature)) {
      throw new RefusedError(400, 'signature_invalid', `not signed by ${inForce.address} (BIP-322, simple)`)
    }
    return record(books, { v: 1, kind: 'address', ...change, signature }, (entryIndex) => {
      insertChange.run(entryIndex, change)
      return entryIndex
    })
  }

  function declarations(key: Uint8Array): PayTo[] {
    const row = select.get(key)
    if (row === undefined) return []
    const registered = {
      entry: Number(row.entry_index),
      address: row.address,
      thresholdSats: row.threshold_sats,
      change: null,
    }
    const changes = selectChanges.all(key).map((one) => ({
      entry: Number(one.entry_index),
      address: one.address,
      thresholdSats: one.threshold_sats,
      change: { replaces: Number(one.replaces), expiryHeight: Number(one.expiry_height) },
    }))
    return [registered, ...changes]
  }

  function find(key: Uint8Array): WorkerRow | null {
    const row = select.get(key)
    return row === undefined ? null : toWorker(row)
  }

  return {
    register,
    changeAddress,
    declarations,
    find,
    keysAt: (size) => selectKeys.all(size),
    keys: () => selectKeys.all(Number.MAX_SAFE_INTEGER),
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
