/**
 * A second verifier of proofs, written from docs/PROTOCOL.md §1–§5 alone. It shares no line with the product: what it accepts
 * and the product refuses, or the other way round, is a gap in the page.
 */
import { createHash, createPublicKey, verify } from 'node:crypto'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'

type Value = null | number | bigint | string | Uint8Array | Value[] | { [key: string]: Value }

const refuse = (why: string): never => {
  throw new Error(why)
}
const utf8 = (text: string) => new Uint8Array(Buffer.from(text, 'utf8'))
const cat = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts))
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0
const H = (...parts: Uint8Array[]) =>
  new Uint8Array(
    createHash('sha256')
      .update(cat(...parts))
      .digest(),
  )
const tagged = (tag: string, ...parts: Uint8Array[]) => H(H(utf8(tag)), H(utf8(tag)), ...parts)
const numberOf = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`)

// §1: DAG-CBOR, strict. Encoding again what was decoded covers order, shortest lengths and whatever else is canonical.

function decode(bytes: Uint8Array): Value {
  let at = 0
  let values = 0
  const take = (length: number) => {
    if (at + length > bytes.length) refuse('CBOR is cut short')
    at += length
    return bytes.subarray(at - length, at)
  }
  const item = (depth: number): Value => {
    if (depth > 16 || ++values > 2 ** 20) refuse('CBOR is too deep or too long')
    const [first = 0] = take(1)
    const [major, small] = [first >> 5, first & 31]
    if (first === 0xf6) return null
    const count =
      small < 24 ? BigInt(small) : small < 28 ? numberOf(take(2 ** (small - 24))) : refuse('CBOR head')
    const length = Number(count)
    if (major === 0) return count <= BigInt(Number.MAX_SAFE_INTEGER) ? length : count
    if (major === 2) return new Uint8Array(take(length))
    if (major === 3) return Buffer.from(take(length)).toString('utf8')
    if (major === 4)
      return Array.from({ length: length <= bytes.length ? length : refuse('CBOR list') }, () =>
        item(depth + 1),
      )
    if (major !== 5) return refuse('CBOR of a kind that has no place here')
    const map: { [key: string]: Value } = {}
    for (let i = 0; i < length; i += 1) map[String(item(depth + 1))] = item(depth + 1)
    return map
  }
  const value = item(1)
  if (!same(encode(value), bytes)) refuse('CBOR is not canonical')
  return value
}

function encode(value: Value): Uint8Array {
  const head = (major: number, count: bigint | number): Uint8Array => {
    const n = BigInt(count)
    if (n < 24n) return Uint8Array.of((major << 5) | Number(n))
    const power = n < 2n ** 8n ? 0 : n < 2n ** 16n ? 1 : n < 2n ** 32n ? 2 : 3
    const digits = n.toString(16).padStart(2 ** power * 2, '0')
    return cat(Uint8Array.of((major << 5) | (24 + power)), Buffer.from(digits, 'hex'))
  }
  if (value === null) return Uint8Array.of(0xf6)
  if (typeof value === 'number' || typeof value === 'bigint') return head(0, value)
  if (typeof value === 'string') return cat(head(3, utf8(value).length), utf8(value))
  if (value instanceof Uint8Array) return cat(head(2, value.length), value)
  if (Array.isArray(value)) return cat(head(4, value.length), ...value.map(encode))
  const keys = Object.keys(value).sort(
    (a, b) => utf8(a).length - utf8(b).length || Buffer.compare(utf8(a), utf8(b)),
  )
  return cat(head(5, keys.length), ...keys.flatMap((key) => [encode(key), encode(value[key] ?? null)]))
}

const int = (value: Value | undefined, min = 0, max = Number.MAX_SAFE_INTEGER): number =>
  typeof value === 'number' && min <= value && value <= max ? value : refuse('an integer is out of range')
const text = (value: Value | undefined): string =>
  typeof value === 'string' ? value : refuse('expected text')
const bytes = (value: Value | undefined, min: number, max = min): Uint8Array =>
  value instanceof Uint8Array && min <= value.length && value.length <= max ? value : refuse('expected bytes')
const hashes = (value: Value | undefined, max: number): Uint8Array[] => {
  const path = bytes(value, 0, 32 * max)
  if (path.length % 32 !== 0) refuse('expected hashes side by side')
  return Array.from({ length: path.length / 32 }, (_, i) => path.slice(32 * i, 32 * i + 32))
}
const mapOf = (value: Value | undefined, ...keys: string[]): { [key: string]: Value } => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || Array.isArray(value))
    return refuse('expected a map')
  return Object.keys(value).sort().join() === [...keys].sort().join()
    ? value
    : refuse('a key is missing, or unknown')
}

// §3: receipts, their tree, submission headers.

function receiptOf(raw: Uint8Array): { index: number; id: Uint8Array } {
  const receipt = mapOf(
    decode(raw),
    'v',
    'job',
    'output',
    'index',
    'profile',
    'started',
    'finished',
    'energy',
  )
  const profile = mapOf(
    receipt.profile,
    'batch',
    'device',
    'optimization',
    'ort',
    'precision',
    'provider',
    'threads',
  )
  const { method, millijoules } = mapOf(receipt.energy, 'method', 'millijoules')
  int(receipt.v, 1, 1)
  bytes(receipt.job, 32)
  bytes(receipt.output, 32)
  for (const value of [receipt.started, receipt.finished, profile.batch, profile.threads]) int(value)
  for (const value of [profile.device, profile.ort, profile.precision, method]) text(value)
  if (millijoules !== null) int(millijoules)
  if (!['disabled', 'basic', 'extended', 'all'].includes(text(profile.optimization))) refuse('optimization')
  if (!['cpu', 'cuda', 'webgpu'].includes(text(profile.provider))) refuse('provider')
  return { index: int(receipt.index), id: H(raw) }
}

function receiptRoot(leaf: Uint8Array, index: number, count: number, path: Uint8Array[]): Uint8Array {
  if (index >= count) refuse('the receipt is not in its submission')
  let [node, at, width, used] = [leaf, index, count, 0]
  for (; width > 1; at = at >> 1, width = (width + 1) >> 1) {
    if (at % 2 === 0 && at + 1 === width) continue // promoted
    const sibling = path[used++] ?? refuse('the path is short')
    node = at % 2 === 1 ? H(sibling, node) : H(node, sibling)
  }
  return used === path.length ? node : refuse('the path is long')
}

// §4: RFC 6962 (as RFC 9162 §2.1.3.2 says it), the commitment, the anchor.

function logRoot(entry: Uint8Array, index: number, size: number, path: Uint8Array[]): Uint8Array {
  if (index >= size) refuse('the entry is not in the log')
  let [node, fn, sn] = [H(Uint8Array.of(0), entry), BigInt(index), BigInt(size - 1)]
  for (const sibling of path) {
    if (sn === 0n) refuse('the log path is long')
    if (fn % 2n === 1n || fn === sn) {
      node = H(Uint8Array.of(1), sibling, node)
      while (fn % 2n === 0n && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n]
    } else node = H(Uint8Array.of(1), node, sibling)
    ;[fn, sn] = [fn >> 1n, sn >> 1n]
  }
  return sn === 0n ? node : refuse('the log path is short')
}

function payloadOf(index: number, origin: string, size: number, root: Uint8Array): Uint8Array {
  const be = Buffer.alloc(4)
  be.writeUInt32BE(index)
  return cat(utf8('ASY1'), be, H(utf8(`${origin}\n${size}\n`), root))
}

function sealOf(P: Uint8Array, script: Uint8Array): Uint8Array {
  const leaf = tagged('TapLeaf', Uint8Array.of(0xc0, script.length), script)
  const tweak = numberOf(tagged('TapTweak', P, leaf))
  const Q = schnorr.utils.lift_x(numberOf(P)).add(secp256k1.Point.BASE.multiply(tweak))
  return cat(Uint8Array.of(0x51, 0x20), Q.toBytes(true).subarray(1))
}

function transactionOf(raw: Uint8Array) {
  const view = Buffer.from(raw)
  let at = 4
  const take = (length: number) => {
    if (at + length > raw.length) refuse('the transaction is cut short')
    at += length
    return raw.subarray(at - length, at)
  }
  const compact = () => {
    const [first = 0] = take(1)
    return first < 0xfd ? first : first === 0xfd ? Buffer.from(take(2)).readUInt16LE() : refuse('too many')
  }
  const inputs = Array.from({ length: compact() }, () => ({
    outpoint: take(36),
    script: take(compact()),
    sequence: take(4),
  }))
  const outputs = Array.from({ length: compact() }, () => ({
    value: Buffer.from(take(8)).readBigUInt64LE(),
    script: take(compact()),
  }))
  take(4)
  if (at !== raw.length || inputs.length === 0 || outputs.length === 0 || view.length < 65)
    refuse('not one whole transaction')
  return { inputs, outputs, txid: H(H(raw)) }
}

function checkCommitment(raw: Uint8Array, P: Uint8Array, payload: Uint8Array): void {
  const { inputs, outputs } = transactionOf(raw)
  const script = cat(Uint8Array.of(0x6a, 0x28), payload)
  const [first, second] = outputs
  if (inputs.length > 2 || outputs.length > 2) refuse('an anchor has at most two inputs and two outputs')
  if (first === undefined || !same(first.script, sealOf(P, script))) refuse('output 0 is not this seal')
  if (second !== undefined && (second.value !== 0n || !same(second.script, script)))
    refuse('output 1 is not this payload')
}

// §5.

function blockRoot(txid: Uint8Array, position: number, siblings: Uint8Array[]): Uint8Array {
  if (siblings.length > 15 || position >= 2 ** siblings.length)
    refuse('the siblings do not reach that position')
  return siblings.reduce((node, sibling, level) => {
    if ((position >> level) % 2 === 0) return H(H(node, sibling))
    return same(sibling, node) ? refuse('CVE-2012-2459') : H(H(sibling, node))
  }, txid)
}

const hashOf = (header: Uint8Array) => H(H(header))

function checkWork(header: Uint8Array): void {
  const bits = Buffer.from(header).readUInt32LE(72)
  const target = BigInt(bits & 0x7fffff) * 2n ** (8n * BigInt((bits >>> 24) - 3))
  if (numberOf(hashOf(header).toReversed()) > target) refuse('the header has too little work')
}

/** Linked headers of 80 bytes from block 0 on, each with the work that it claims: regtest's rule. */
function headerAt(headers: Uint8Array, height: number): Uint8Array {
  for (let at = 80; at <= 80 * height; at += 80) {
    const header = headers.subarray(at, at + 80)
    if (!same(header.subarray(4, 36), hashOf(headers.subarray(at - 80, at))))
      refuse('the headers do not link')
    checkWork(header)
  }
  return headers.subarray(80 * height, 80 * height + 80)
}

/** All checks of §5 in its order, but those against a key of the reader's own. Throws at the first that fails. */
export function verifyFromThePage(file: Uint8Array, headers: Uint8Array) {
  if (file.length > 16_384) refuse('the file is too long')
  const list = decode(file)
  if (!Array.isArray(list) || list.length !== 19) return refuse('a proof is a list of 19 values')
  int(list[0], 1, 1)
  const receipt = receiptOf(bytes(list[1], 0, 1_024))
  const submission = bytes(list[3], 0, 512)
  const header = mapOf(decode(submission), 'v', 'worker', 'sequence', 'previous', 'count', 'root', 'time')
  const [worker, root] = [bytes(header.worker, 32), bytes(header.root, 32)]
  const count = int(header.count, 1, 65_536)
  int(header.v, 1, 1)
  int(header.sequence)
  int(header.time)
  bytes(header.previous, 32)
  const leaf = tagged('assay/receipt', receipt.id)
  if (!same(receiptRoot(leaf, receipt.index, count, hashes(list[2], 53)), root)) refuse('receipt_path')

  const [signature, origin] = [bytes(list[4], 64), text(list[8])]
  const signed = tagged(`assay/submission/${origin}`, submission)
  if (!schnorr.verify(signature, signed, worker)) refuse('submission_signature')

  const entry = encode({
    v: 1,
    kind: 'submission',
    header: submission,
    signature,
    receipts: bytes(list[5], 32),
  })
  const size = int(list[9])
  const head = logRoot(entry, int(list[6]), size, hashes(list[7], 53))
  const note = utf8(`${origin}\n${size}\n${Buffer.from(head).toString('base64')}\n`)
  const x = Buffer.from(bytes(list[11], 32)).toString('base64url')
  const logKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  if (!verify(null, note, logKey, bytes(list[10], 64))) refuse('checkpoint_signature')

  const anchor = bytes(list[14], 0, 1_000)
  const anchorIndex = int(list[12], 0, 0xffff_ffff)
  checkCommitment(anchor, bytes(list[13], 32), payloadOf(anchorIndex, origin, size, head))
  const { txid } = transactionOf(anchor)
  const block = bytes(list[17], 80)
  if (!same(blockRoot(txid, int(list[15]), hashes(list[16], 53)), block.subarray(36, 68))) refuse('branch')
  checkWork(block)
  const height = int(list[18])
  if (!same(headerAt(headers, height), block)) refuse('header_chain')
  const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')
  return {
    receiptId: hex(receipt.id),
    worker: hex(worker),
    origin,
    size,
    anchorIndex,
    txid: hex(txid.toReversed()),
    height,
    blockTimeUnix: Buffer.from(block).readUInt32LE(68),
  }
}
