import assert from 'node:assert/strict'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { publicKeyOf } from '../../compute/work/worker-key.ts'
import { networkDefaults } from '../../src/config/network-defaults.ts'
import type { EntryOf } from '../../src/log/entry.ts'
import { parseVerifierKey } from '../../src/log/note-key.ts'
import { noteSigner } from '../../src/log/note-signer.ts'
import { PART_LENGTH } from '../../src/log/parts.ts'
import { assignItem, assignmentHeight, itemName } from '../../src/rules/assignment.ts'
import { beaconHeight, firstHeight, settlementHeight } from '../../src/rules/epoch.ts'
import { epochRules } from '../../src/rules/epoch-rules.ts'
import { fill } from '../../test/src/proof/synthetic-proof.ts'
import { type BenchWorker, openBenchWorker, REQUESTER, type Task } from './bench-worker.ts'
import { openChain, openMirrorWriter, writeHeaders } from './mirror-folder.ts'
import { itemInputs, openMarket, type Stall } from './open-market.ts'
import { openOperator } from './operator.ts'

export interface LogShape {
  /** At least. */
  readonly receipts: number
  /** Of whole items and requests in every subnet: a multiple of 16. */
  readonly receiptsPerEpoch: number
}

const WORKERS = 8
const SUBNETS = 8
/** Jobs of one lease and receipts of one submission, at most. */
const MAX_BATCH = 1_000
/** Who has nothing to lose yet is audited always: two short epochs come first, and then the beacon draws few. */
const UNPROVEN_EPOCHS = 2
const UNPROVEN_RECEIPTS = 3_200
const START_HEIGHT = 100
const RESERVE_SATS = 10_000_000_000n
const DEPOSIT_SATS = 100_000_000n
const SIGNER = noteSigner('assay.example/bench', fill('log'))
const AUDITOR = fill('auditor')
const ADDRESSES = { treasury: addressOf('treasury'), deposits: addressOf('deposits') }

/**
 * Writes a log of so many receipts as a mirror has it: half of them items of open datasets, half requests,
 * leased, signed, drawn, audited, settled and matured by the product's own rules, epoch by epoch, under headers that are mined.
 */
export async function writeLog(folder: string, shape: LogShape, partLength = PART_LENGTH): Promise<void> {
  const mirror = openMirrorWriter(folder, SIGNER)
  const genesis = genesisOf()
  const rules = epochRules(genesis)
  const epochs = receiptsByEpoch(shape)
  writeHeaders(folder, settlementHeight(epochs.length - 1, rules) + rules.finalDepth)
  const { blockAt } = await openChain(folder)

  mirror.append(genesis)
  const signs = (name: string) => openBenchWorker(mirror, SIGNER.name, fill(name))
  const workers = Array.from({ length: WORKERS }, (_, i) => signs(`worker ${i}`))
  signs('auditor')
  fund(mirror)
  const items = epochs.reduce((sum, receipts) => sum + itemsOf(receipts), 0)
  const stalls = openMarket(mirror, { subnets: SUBNETS, items, perEpoch: itemsOf(shape.receiptsPerEpoch) })
  const operator = openOperator(mirror, { genesis, stalls, auditorKey: AUDITOR, partLength })
  operator.budget(0)
  mirror.anchor(assignmentHeight(0, rules))

  const settle = async (epoch: number) => {
    await operator.settle(epoch, blockAt)
    mirror.anchor(settlementHeight(epoch, rules) + 1)
  }
  let firstItem = 0
  for (const [epoch, receipts] of epochs.entries()) {
    operator.budget(epoch + 1)
    const items = itemsOf(receipts)
    const beacon = await blockAt(assignmentHeight(epoch, rules))
    for (const [worker, tasks] of leases(stalls, workers, { beacon, firstItem, items })) {
      operator.accept(epoch, worker, tasks)
    }
    firstItem += items
    const anchored = firstHeight(epoch, rules)
    mirror.anchor(anchored)
    const drawn = beaconHeight(anchored, rules)
    operator.audit(epoch, await blockAt(drawn))
    mirror.anchor(drawn + rules.finalDepth)
    if (epoch > 0) await settle(epoch - 1)
  }
  await settle(epochs.length - 1)
  mirror.close()
}

/** The calendar and the shares that mainnet's operators start with. */
function genesisOf(): EntryOf<'genesis'> {
  const { epoch, shares, subsidy, reserve } = networkDefaults('mainnet')
  const { x = '' } = parseVerifierKey(SIGNER.verifierKey).publicKey.export({ format: 'jwk' })
  return {
    v: 1,
    kind: 'genesis',
    network: 'regtest',
    method: 'dual',
    origin: SIGNER.name,
    internalKey: publicKeyOf(fill('anchor')),
    logKey: Buffer.from(x, 'base64url'),
    auditor: publicKeyOf(AUDITOR),
    treasury: ADDRESSES.treasury,
    seal: { txid: fill('seal'), vout: 0, sats: 50_000n },
    epoch: { startHeight: START_HEIGHT, ...epoch },
    subsidy,
    auditBasisPoints: shares.auditBasisPoints,
    feeReserveSats: reserve.feeSats,
    succeeds: null,
  }
}

function fund(mirror: Pick<ReturnType<typeof openMirrorWriter>, 'append'>): void {
  const { deposits: address, treasury: refund } = ADDRESSES
  mirror.append({ v: 1, kind: 'requester', requester: REQUESTER, address, refund })
  const coin = { v: 1, kind: 'deposit', height: 1, vout: 0 } as const
  mirror.append({ ...coin, account: 'reserve', txid: fill('reserve'), sats: RESERVE_SATS })
  mirror.append({ ...coin, account: `requester/${REQUESTER}`, txid: fill('deposit'), sats: DEPOSIT_SATS })
}

function receiptsByEpoch({ receipts, receiptsPerEpoch }: LogShape): number[] {
  const unproven = Math.min(UNPROVEN_RECEIPTS, receiptsPerEpoch)
  const left = Math.ceil((receipts - UNPROVEN_EPOCHS * unproven) / receiptsPerEpoch)
  return [
    ...Array.from({ length: UNPROVEN_EPOCHS }, () => unproven),
    ...Array.from({ length: left }, () => receiptsPerEpoch),
  ]
}

/** Of each subnet's dataset. */
function itemsOf(receipts: number): number {
  const items = receipts / 2 / SUBNETS
  assert(Number.isInteger(items), 'every subnet has its share')
  return items
}

/** Items go to whom the beacon says, and as many requests to the workers in turns. */
function* leases(
  stalls: readonly Stall[],
  workers: readonly BenchWorker[],
  { beacon, firstItem, items }: { beacon: Uint8Array; firstItem: number; items: number },
): Generator<[BenchWorker, Task[]]> {
  const keys = workers.map(({ key }) => key)
  const tasks = new Map(workers.map(({ key }) => [key, [] as Task[]]))
  for (const stall of stalls) {
    for (let i = 0; i < items; i += 1) {
      const item = firstItem + i
      const { subnet, model } = stall
      const name = itemName(model.digest, sha256(itemInputs(subnet.name, item)))
      const assignee = assignItem({ beacon, subnet: subnet.name, item: name, workers: keys })
      for (const [key, task] of [
        [assignee, { stall, item }],
        [keys[i % keys.length], { stall, item: null }],
      ] as const) {
        if (key) tasks.get(key)?.push(task)
      }
    }
  }
  for (const worker of workers) {
    const own = tasks.get(worker.key) ?? []
    for (let at = 0; at < own.length; at += MAX_BATCH) yield [worker, own.slice(at, at + MAX_BATCH)]
  }
}

function addressOf(name: string): string {
  return taprootAddress(publicKeyOf(fill(name)), 'regtest')
}
