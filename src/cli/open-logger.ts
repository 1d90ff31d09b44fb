import { inspect } from 'node:util'
import pino, { type Logger } from 'pino'
import { escapeControls } from './escape-controls.ts'
import { codeOf } from './exit-code.ts'

/** pino's own. */
const WARN = 40
const ERROR = 50

/** What a program says that runs on: a JSON object for each line, or on a terminal the same for people. */
export function openLogger(
  stream: Pick<NodeJS.WriteStream, 'isTTY'> & { write(text: string): unknown } = process.stdout,
): Logger {
  if (stream.isTTY !== true) return pino({ base: null })
  // A stack is for whoever looks for a bug; an expected error has said what its cause says.
  const serializers = {
    err: (error: unknown) =>
      codeOf(error) !== 'internal' && error instanceof Error
        ? error.message.replaceAll('\n', ' ')
        : inspect(error),
  }
  const write = (line: string) => void stream.write(`${lineForPeople(JSON.parse(line))}\n`)
  return pino({ base: null, serializers }, { write })
}

function lineForPeople({ level, time, msg, err, ...fields }: Record<string, unknown>): string {
  const label = Number(level) >= ERROR ? 'ERROR ' : Number(level) >= WARN ? 'WARN ' : ''
  const said = Object.entries(fields).map(([name, value]) => ` ${name}=${textOf(value)}`)
  const why = err === undefined ? '' : `: ${err}`
  const clock = new Date(Number(time)).toTimeString().slice(0, 8)
  return escapeControls(`${clock} ${label}${msg}${said.join('')}${why}`)
}

/** Anything but a plain word stands in quotes, on one line. */
function textOf(value: unknown): string {
  return typeof value === 'string' && /^[\w.:/@+-]+$/.test(value)
    ? value
    : inspect(value, { breakLength: Number.POSITIVE_INFINITY })
}
