import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import path from 'node:path'

const LINE_FEED = 0x0a

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
