/** A witness, as C2SP tlog-witness says: written from its text alone, with nothing of the client's code. */
import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { noteSigner } from '../../../src/log/note-signer.ts'
import { checkTree } from '../../../src/log/rfc6962.ts'

export interface TestWitness {
  readonly name: string
  readonly url: string
  /** Of type 0x04. */
  readonly verifierKey: string
  /** Status of every answer, in order. */
  readonly answers: number[]
  /** What it cosigned last, by origin. */
  readonly heads: Map<string, { size: number; root: Uint8Array }>
  /** Stands in for the next 200's body. */
  sayInstead(body: (lines: string) => string): void
  /** Before the next request is looked at. */
  beforeNext(act: () => void): void
}

interface Answer {
  status: number
  type: string
  body: string
}

class Refused extends Error {
  readonly answer: Answer
  constructor(status: number, body = 'no', type = 'text/plain') {
    super(body)
    this.answer = { status, body, type }
  }
}

function rawKey(publicKey: KeyObject): Buffer {
  return Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
}

function keyIdOf(name: string, type: number, key: Buffer): Buffer {
  return createHash('sha256')
    .update(Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), key]))
    .digest()
    .subarray(0, 4)
}

/** A witness of the logs in `logs`: by origin, the key that it trusts. */
export async function startWitness(
  name: string,
  logs: ReadonlyMap<string, KeyObject>,
  timeUnix = 1_700_000_000,
): Promise<TestWitness> {
  const { privateKey } = noteSigner(name, createHash('sha256').update(name).digest())
  const key = rawKey(createPublicKey(privateKey))
  const keyId = keyIdOf(name, 0x04, key)
  const heads = new Map<string, { size: number; root: Uint8Array }>()
  const answers: number[] = []
  let say = (lines: string) => lines
  let act = () => {}

  function addCheckpoint(body: string): Answer {
    const split = body.indexOf('\n\n')
    const [oldLine = '', ...proofLines] = body.slice(0, split).split('\n')
    const note = body.slice(split + 2)
    const oldSize = Number(/^old (0|[1-9][0-9]*)$/.exec(oldLine)?.[1])
    if (split < 0 || !Number.isSafeInteger(oldSize) || proofLines.length > 63) throw new Refused(400)
    const text = note.slice(0, note.indexOf('\n\n') + 1)
    const [origin = '', size = '', root = ''] = text.split('\n')
    const trusted = logs.get(origin)
    if (trusted === undefined) throw new Refused(404)
    if (!isSigned(note, text, origin, trusted)) throw new Refused(403)
    if (oldSize > Number(size)) throw new Refused(400)
    const head = heads.get(origin)
    const known = `${head?.size ?? 0}\n`
    if (oldSize !== (head?.size ?? 0)) throw new Refused(409, known, 'text/x.tlog.size')
    const next = { size: Number(size), root: new Uint8Array(Buffer.from(root, 'base64')) }
    if (head?.size === next.size && Buffer.compare(head.root, next.root) !== 0) {
      throw new Refused(409, known, 'text/x.tlog.size')
    }
    checkProof(proofLines, next, head)
    heads.set(origin, next)
    const timestamp = Buffer.alloc(8)
    timestamp.writeBigUInt64BE(BigInt(timeUnix))
    const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${timeUnix}\n${text}`), privateKey)
    const base64 = Buffer.concat([keyId, timestamp, signature]).toString('base64')
    return { status: 200, type: 'text/plain', body: say(`— ${name} ${base64}\n`) }
  }

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    act()
    act = () => {}
    let answer: Answer = { status: 404, type: 'text/plain', body: 'not here' }
    try {
      if (request.method === 'POST' && request.url === '/at/add-checkpoint') {
        answer = addCheckpoint(Buffer.concat(chunks).toString())
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      answer = error.answer
    }
    answers.push(answer.status)
    response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.closeAllConnections())
  onTestFinished(() => void server.close())
  return {
    name,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/at`,
    verifierKey: `${name}+${keyId.toString('hex')}+${Buffer.concat([Buffer.of(0x04), key]).toString('base64')}`,
    answers,
    heads,
    sayInstead(body) {
      say = body
    },
    beforeNext(next) {
      act = next
    },
  }
}

function isSigned(note: string, text: string, origin: string, trusted: KeyObject): boolean {
  const keyId = keyIdOf(origin, 0x01, rawKey(trusted))
  return note
    .slice(text.length + 1)
    .split('\n')
    .some((line) => {
      const [, name, base64 = ''] = line.split(' ')
      const bytes = Buffer.from(base64, 'base64')
      return (
        name === origin &&
        bytes.subarray(0, 4).equals(keyId) &&
        verify(null, Buffer.from(text), trusted, bytes.subarray(4))
      )
    })
}

function checkProof(
  lines: readonly string[],
  next: { size: number; root: Uint8Array },
  head: { size: number; root: Uint8Array } | undefined,
): void {
  const proof = lines.map((line) => new Uint8Array(Buffer.from(line, 'base64')))
  if (head === undefined || head.size === 0) {
    if (proof.length > 0) throw new Refused(422)
    return
  }
  try {
    checkTree(proof, next.size, next.root, head.size, head.root)
  } catch {
    throw new Refused(422)
  }
}
