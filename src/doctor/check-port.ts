import { once } from 'node:events'
import { createServer } from 'node:net'
import { readStatus } from '../client/read-status.ts'
import type { Config } from '../config/config-schema.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

/** Other software that miners run beside their node listens there. */
const MINERS_PORTS = [23334, 7152]

/** Whether the coordinator can listen where it is configured to, or does so already. */
export async function checkPort({ listen: { host, port }, origin }: Config): Promise<Finding> {
  const where = `${host} port ${port}`
  if (MINERS_PORTS.includes(port)) {
    return warn('port', `${where} belongs to other software of miners`, 'Set listen.port to another one.')
  }
  const refusal = await tryToListen(host, port)
  if (refusal === null) return ok('port', port === 0 ? 'any free port' : `${where} is free`)
  if (refusal === 'EADDRINUSE') {
    return (await originAt(host, port)) === origin
      ? ok('port', `this coordinator listens at ${where}`)
      : fail('port', `another program listens at ${where}`, 'End it, or set listen.port to another one.')
  }
  const fix =
    refusal === 'EACCES'
      ? 'Set listen.port to one above 1023.'
      : "Set listen.host to one of this machine's addresses."
  return fail('port', `${where} can't be had: ${refusal}`, fix)
}

/** The system's error code, null when it can be had. */
async function tryToListen(host: string, port: number): Promise<string | null> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    if (error instanceof Error && 'code' in error) return `${error.code}`
    throw error
  }
  server.close()
  await once(server, 'close')
  return null
}

/** Null when what listens there is no coordinator. */
async function originAt(host: string, port: number): Promise<string | null> {
  const anywhere = host === '0.0.0.0' || host === '::'
  const name = anywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  try {
    return (await readStatus(`http://${name}:${port}`)).origin
  } catch {
    // Whatever it is, it isn't ours: which is all that is asked.
    return null
  }
}
