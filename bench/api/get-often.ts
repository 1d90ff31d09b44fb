import { connect } from 'node:net'

const HEAD_END = Buffer.from('\r\n\r\n')

/**
 * GETs `url` so often by `clients` connections that stay open, each with one request under way, and gives the last answer's body back. By hand
 * over node:net: node:http takes as long to ask as a server to answer, and would be what is measured. Throws on any answer but 200.
 */
export async function getOften(url: string, clients: number, requests: number): Promise<Uint8Array> {
  const { hostname, port, pathname, search, host } = new URL(url)
  const request = `GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\n\r\n`
  let left = requests
  let last: Uint8Array = new Uint8Array()

  function client(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname)
      let received = Buffer.alloc(0)
      function ask(): void {
        if (left-- > 0) socket.write(request)
        else socket.end()
      }
      socket.on('connect', ask)
      socket.on('data', (chunk) => {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
        const headEnd = received.indexOf(HEAD_END)
        if (headEnd === -1) return
        const head = received.toString('latin1', 0, headEnd)
        const length = /^content-length: (\d+)$/im.exec(head)?.[1]
        if (!head.startsWith('HTTP/1.1 200 ') || length === undefined) {
          socket.destroy(new Error(`${url} answered ${head}`))
          return
        }
        const body = received.subarray(headEnd + HEAD_END.length)
        if (body.length < Number(length)) return
        last = body
        received = Buffer.alloc(0)
        ask()
      })
      socket.on('error', reject)
      socket.on('close', () => resolve())
    })
  }

  await Promise.all(Array.from({ length: clients }, client))
  return last
}
