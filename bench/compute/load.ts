import { Agent, type IncomingMessage, request } from 'node:http'

export interface Shot {
  readonly url: string
  readonly headers: Record<string, string>
  /** Of request `n`, counted from 0: no two of a run alike, or a store would keep them once. */
  readonly body: (n: number) => Uint8Array
}

export interface Answered {
  /** Of each request, from its first byte to the answer's last. */
  readonly latenciesMs: readonly number[]
  readonly last: Uint8Array
}

/** Sends `requests` from number `from` on by `clients` at a time, each on a connection of its own. Throws on any answer but 200. */
export async function load(shot: Shot, clients: number, requests: number, from = 0): Promise<Answered> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const latenciesMs: number[] = []
  let next = from
  let last: Uint8Array = new Uint8Array()
  async function client(): Promise<void> {
    for (let n = next++; n < from + requests; n = next++) {
      const body = shot.body(n)
      const sentMs = performance.now()
      last = await post(agent, shot, body)
      latenciesMs.push(performance.now() - sentMs)
    }
  }
  try {
    await Promise.all(Array.from({ length: clients }, client))
    return { latenciesMs, last }
  } finally {
    agent.destroy()
  }
}

function post(agent: Agent, { url, headers }: Shot, body: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, method: 'POST', headers }, (response) => {
      readAll(response).then((bytes) => {
        if (response.statusCode === 200) resolve(bytes)
        else
          reject(new Error(`${url} answered ${response.statusCode}: ${Buffer.from(bytes).toString('utf8')}`))
      }, reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

async function readAll(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks)
}
