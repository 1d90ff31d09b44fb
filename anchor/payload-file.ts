import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'

const LINE_FEED = 0x0a
/** "ASY1" and 36 bytes: PROTOCOL §4. */
const LINE = /^41535931[0-9a-f]{72}$/
/** 828,000 payloads: one for each block of fifteen years. */
const MAX_FILE_BYTES = 64 * 1024 * 1024

class PayloadFileError extends Error {
  override readonly name = 'PayloadFileError'
  readonly code = 'payload_file_too_large'
}

/**
 * Appends a payload as a line of hex, on the disk when it returns. A seal whose payload is lost can't be spent
 * again: the key alone doesn't give the tweak back. The same payload may stand there twice; a line that a crash
 * cut short is closed first, so that it spoils no other.
 */
export function appendPayload(file: string, payload: Uint8Array): void {
  const descriptor = openSync(file, 'a+', 0o600)
  try {
    const { size } = fstatSync(descriptor)
    const line = `${Buffer.from(payload).toString('hex')}\n`
    writeSync(descriptor, size > 0 && lastByte(descriptor, size) !== LINE_FEED ? `\n${line}` : line)
    fsyncSync(descriptor)
    if (size === 0) syncFolder(path.dirname(file))
  } finally {
    closeSync(descriptor)
  }
}

/**
 * The payloads in a file, oldest first; none when there is no file. What a crash cut short is passed over. Throws
 * PayloadFileError.
 */
export function readPayloads(file: string): Uint8Array[] {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > MAX_FILE_BYTES) throw new PayloadFileError(`${file}: ${size} bytes, at most ${MAX_FILE_BYTES}`)
  if (size === 0) return []
  const lines = readFileSync(file, 'latin1').split('\n')
  return lines.filter((line) => LINE.test(line)).map((line) => Uint8Array.from(Buffer.from(line, 'hex')))
}

function lastByte(descriptor: number, size: number): number | undefined {
  const last = Buffer.alloc(1)
  readSync(descriptor, last, 0, 1, size - 1)
  return last[0]
}

/** A new file's name is durable only with its folder. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
