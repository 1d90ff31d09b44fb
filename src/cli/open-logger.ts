import { inspect } from 'node:util'
import pino, { type Logger } from 'pino'

/** pino's own. */
const WARN = 40
const ERROR = 50

/** What a program says that runs on: a JSON object for each line, or on a terminal the same for people. */
export function openLogger(
  stream: Pick<NodeJS.WriteStream, 'isTTY'> & { write(text: string): unknown } = process.stdout,
): Logger {
  if (stream.isTTY !== true) return pino({ base: null })
  // The usual serializer adds what the cause says, which our errors have said.
  const serializers = { err: pino.stdSerializers.errWithCause }
  const write = (line: string) => void stream.write(`${lineForPeople(JSON.parse(line))}\n`)
  return pino({ base: null, serializers }, { write })
}

function lineForPeople({ level, time, msg, err, ...fields }: Record<string, unknown>): string {
  const label = Number(level) >= ERROR ? 'ERROR ' : Number(level) >= WARN ? 'WARN ' : ''
  const said = Object.entries(fields).map(([name, value]) => ` ${name}=${textOf(value)}`)
  const { code, message, stack } = Object(err)
  // A stack is for whoever looks for a bug: an error that is expected has a code.
  const why = err === undefined ? '' : `: ${code === undefined ? stack : message}`
  return `${new Date(Number(time)).toTimeString().slice(0, 8)} ${label}${msg}${said.join('')}${why}`
}

/** What others wrote must not steer the terminal: anything but a plain word stands in quotes, its control characters escaped. */
function textOf(value: unknown): string {
  return typeof value === 'string' && /^[\w.:/@+-]+$/.test(value)
    ? value
    : inspect(value, { breakLength: Number.POSITIVE_INFINITY })
}
