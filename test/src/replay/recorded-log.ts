import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openNode } from '../../../anchor/node.ts'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { jobId } from '../../../compute/work/job.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import type { RegtestNode } from '../../../regtest/start-bitcoind.ts'
import { MAX_ANCHORS } from '../../../src/audit/anchors-file.ts'
import { anchorsOf } from '../../../src/audit/anchors-of.ts'
import { checkAnchorChain } from '../../../src/audit/check-anchor-chain.ts'
import { headersOf } from '../../../src/audit/headers-of.ts'
import { SMALL_BLOBS } from '../../../src/blobs/blob-folder.ts'
import { openSmallBlobs } from '../../../src/blobs/small-blobs.ts'
import { checkpointIn } from '../../../src/log/checkpoint.ts'
import { type Entry, type EntryOf, parseEntry } from '../../../src/log/entry.ts'
import { readClaims } from '../../../src/replay/read-claims.ts'
import { chainOfNode } from '../../../src/replay/replay-chain.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { leaseOne, openRequester, type PayingRequester } from '../coordinator/paying-requester.ts'
import type { LeasedJob, Peer } from '../coordinator/peer.ts'
import type { Site } from '../coordinator/site.ts'
import { cheatedOutput, tinyInput, tinyMarket } from '../coordinator/tiny-market.ts'

/** 100 msat for each unit. */
const PRICE_MSAT = 10n ** 17n
const DEPOSIT_SATS = 50_000n

/** Epochs of work, plenty for each of two; a floor below 1: with rewards unmatured, the beacon samples. */
export const SAMPLED_MARKET = tinyMarket({
  price: PRICE_MSAT,
  operatorBasisPoints: 1_000,
  auditFloor: { numerator: 1, denominator: 10 },
  dataset: { items: Array.from({ length: 192 }, (_, item) => tinyInput(item + 1)), perEpoch: 64 },
})

/**
 * From the first lease to the second payout: a requester's jobs, an honest worker and one that cheats, audits, late work
 * that is sampled while rewards are unmatured, two payments on chain. @returns the honest one, the cheat, the operator's auditor
 */
export async function liveThrough(site: Site, node: RegtestNode): Promise<Peer[]> {
  const requester = await openRequester(site, 'acme')
  await node.fund(requester.depositAddress, DEPOSIT_SATS)
  const [honest, cheat, operator] = await site.begin(2)
  if (honest === undefined || cheat === undefined || operator === undefined) throw new Error('three peers')
  const people = [honest, cheat, operator]
  await answerRequests(requester, honest, cheat)
  await honest.work()
  await cheat.work(cheatedOutput, 8)
  await site.mineAudited(people, 'settlement and new work', () => {
    const { epochs, work } = site.status()
    return epochs.some(({ settled }) => settled) && work.itemsAssigned > 0
  })
  await honest.work(undefined, 12)
  await cheat.work(undefined, 8)
  const before = site.coordinator().books.log.size()
  await site.mineAudited(people, 'the last settlement', () => {
    const { epochs, payouts } = site.status()
    const isMatured = epochs.every(({ budgetMsat, matured }) => budgetMsat === 0n || matured)
    return isMatured && payouts.length > 1 && payouts.every(({ state }) => state === 'settled')
  })
  if (site.coordinator().books.log.size() === before) throw new Error('nothing has happened')
  await site.anchorAll()
  await site.mine(site.config.epoch.finalDepth)
  return people
}

/** One that is bought, one that fails its audit, and one that is given back, bought from another, and answered late after all. */
async function answerRequests(requester: PayingRequester, honest: Peer, cheat: Peer): Promise<void> {
  const submit = async (worker: Peer, job: LeasedJob, compute?: (inputs: Uint8Array) => Uint8Array) => {
    const works = await worker.hold([job], compute)
    await worker.submit(worker.draft(works.map(({ receipt }) => receipt)))
  }
  const bought = requester.ask(1.5)
  await submit(honest, await leaseOne(honest))
  const cheated = requester.ask(2.5)
  await submit(cheat, await leaseOne(cheat), cheatedOutput)
  const returned = requester.ask(3.5)
  const late = await leaseOne(cheat)
  await cheat.call('/v1/failures', { failures: [{ job: jobId(late.job), reason: 'out of memory' }] })
  await submit(honest, await leaseOne(honest))
  for (const asked of [bought, cheated, returned]) {
    if (!(await asked).ok) throw new Error('a request was not answered')
  }
  await submit(cheat, late)
}

/** The site's log as anybody can read it, in memory; coins and blocks still come from the node. */
export async function recordLog(site: Site, { rpc }: RegtestNode): Promise<ReplaySource> {
  const { log } = site.coordinator().books
  const node = openNode(rpc, 'regtest')
  const anchors = anchorsOf(log, site.house().anchorer.anchors(), MAX_ANCHORS)
  const headerAt = await headersOf(node, anchors)
  const blobs = readBlobs(join(site.config.dataDir, 'blobs'))
  const claims = await readClaims(site.url)
  const entries = Array.from({ length: log.size() }, (_, index) => log.entry(index))
  return {
    checkpoint: log.checkpoint(),
    verifierKey: log.verifierKey,
    entries: () => inOrder(entries),
    blob: async (digest) => blobs.get(Buffer.from(digest).toString('hex')) ?? null,
    anchors: anchors.anchors.map(({ height, checkpoint }) => ({
      height,
      size: checkpointIn(checkpoint).size,
    })),
    followAnchors: (roots) => checkAnchorChain(anchors, { headerAt, log: roots }),
    chain: await chainOfNode(node),
    claims,
    predecessor: null,
  }
}

function readBlobs(folder: string): Map<string, Uint8Array> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  const small = openSmallBlobs(join(folder, SMALL_BLOBS))
  const blobs = new Map(Array.from(small.each(), ({ name, bytes }) => [name, bytes]))
  small.close()
  for (const { name, parentPath } of files) blobs.set(name, readFileSync(join(parentPath, name)))
  return blobs
}

export async function entriesOf(source: ReplaySource): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = []
  for await (const entry of source.entries()) entries.push(entry)
  return entries
}

/** Of the first entry of that kind that `isMeant`. */
export async function find<Kind extends Entry['kind']>(
  source: ReplaySource,
  kind: Kind,
  isMeant: (entry: EntryOf<Kind>) => boolean | Promise<boolean> = () => true,
): Promise<{ index: number; entry: EntryOf<Kind> }> {
  for (const [index, bytes] of (await entriesOf(source)).entries()) {
    const entry = parseEntry(bytes)
    if (isOf(entry, kind) && (await isMeant(entry))) return { index, entry }
  }
  throw new Error(`no such ${kind} entry`)
}

function isOf<Kind extends Entry['kind']>(entry: Entry, kind: Kind): entry is EntryOf<Kind> {
  return entry.kind === kind
}

/** The source with one blob more. */
export function withBlob(source: ReplaySource, value: unknown): { source: ReplaySource; digest: Uint8Array } {
  const bytes = encodeCbor(value)
  const digest = sha256(bytes)
  const isNew = (asked: Uint8Array) => Buffer.compare(asked, digest) === 0
  return {
    digest,
    source: { ...source, blob: async (asked) => (isNew(asked) ? bytes : source.blob(asked)) },
  }
}

export async function* inOrder(entries: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* entries
}
