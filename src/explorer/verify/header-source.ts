/** Where the reader's headers come from. Whatever answers is checked as far as it can be, and the rest is said. */
import { z } from 'zod'
import { HEADER_BYTES, headerHash } from '../../../anchor/block-header.ts'
import { checkHeaderChain } from '../../../anchor/header-chain.ts'
import { NETWORK_NAMES, type NetworkName } from '../../../anchor/network.ts'
import { PERIOD_BLOCKS } from '../../../anchor/retarget.ts'

export type HeaderSource =
  | { readonly kind: 'none' }
  | { readonly kind: 'server' }
  | { readonly kind: 'file'; readonly bytes: Uint8Array; readonly network: NetworkName }
  | { readonly kind: 'esplora'; readonly url: string }

export interface Headers {
  /** What was checked of them, for people. */
  readonly checked: string
  readonly headerAt: (height: number) => Uint8Array | null
}

/** A month of blocks: from genesis up to here all headers are fetched and checked, 400 kB at most. */
const FROM_GENESIS_BLOCKS = 5_040
/** Headers above the block in question: more work on top than anybody would spend on one proof. */
const MAX_ABOVE_BLOCKS = 144
const HEX_HEADER = /^[0-9a-f]{160}$/
const HEX_HASH = /^[0-9a-f]{64}$/

const serverSchema = z.object({ network: z.enum(NETWORK_NAMES), height: z.int().nullable() })

/** Throws HeaderError, and Error with a text for the reader. */
export async function readHeaders(source: HeaderSource, height: number): Promise<Headers | null> {
  switch (source.kind) {
    case 'none':
      return null
    case 'file':
      return chainOf(source.bytes, source.network, 0, "the file's")
    case 'server':
      return fromServer(height)
    case 'esplora':
      return fromEsplora(source.url, height)
  }
}

async function fromServer(height: number): Promise<Headers> {
  const { network, height: tipHeight } = serverSchema.parse(await (await ask('/v1/status')).json())
  if (tipHeight === null || height > tipHeight) {
    return { checked: `the server's chain ends at block ${tipHeight ?? 0}`, headerAt: () => null }
  }
  const start = height < FROM_GENESIS_BLOCKS ? 0 : height - (height % PERIOD_BLOCKS)
  const pages: Uint8Array[] = []
  for (let next = start; next <= height + MAX_ABOVE_BLOCKS; ) {
    const page = new Uint8Array(await (await ask(`/v1/headers?from=${next}`)).arrayBuffer())
    if (page.length === 0) break
    pages.push(page)
    next += page.length / HEADER_BYTES
  }
  return chainOf(new Uint8Array(Buffer.concat(pages)), network, start, "the server's")
}

/** Checked as a chain from genesis, or from the block that the source says began the period. */
function chainOf(bytes: Uint8Array, network: NetworkName, startHeight: number, whose: string): Headers {
  const pinned =
    startHeight === 0 ? [] : [{ height: startHeight, hash: headerHash(bytes.subarray(0, HEADER_BYTES)) }]
  const chain = checkHeaderChain(bytes, network, { startHeight, pinned })
  const from = startHeight === 0 ? 'the genesis block' : `block ${startHeight}, which the source names,`
  return {
    checked: `${whose} ${network} headers, checked as a chain from ${from} to block ${chain.tipHeight}: links, targets, proof of work`,
    headerAt: (at) => (at < startHeight || at > chain.tipHeight ? null : chain.headerAt(at)),
  }
}

/** Esplora's HTTP API: `/block-height/:height` gives the hash, `/block/:hash/header` the header, both as hex. */
async function fromEsplora(url: string, height: number): Promise<Headers> {
  const base = url.replace(/\/+$/, '')
  const hash = (await (await ask(`${base}/block-height/${height}`)).text()).trim()
  if (!HEX_HASH.test(hash)) throw new Error(`${base} does not answer with a block hash`)
  const hex = (await (await ask(`${base}/block/${hash}/header`)).text()).trim()
  if (!HEX_HEADER.test(hex)) throw new Error(`${base} does not answer with a block header`)
  const header = new Uint8Array(Buffer.from(hex, 'hex'))
  if (headerHash(header) !== hash) throw new Error(`${base} gave the header of another block`)
  return {
    checked: `one header, of block ${height}, as ${new URL(base).host} gives it`,
    headerAt: (at) => (at === height ? header : null),
  }
}

async function ask(url: string): Promise<Response> {
  const response = await fetch(url, { credentials: 'omit', referrerPolicy: 'no-referrer' }).catch(() => null)
  if (response === null) throw new Error(`${url} can't be reached from this browser`)
  if (!response.ok) throw new Error(`${url} answers ${response.status}`)
  return response
}
