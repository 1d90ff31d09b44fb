// Puts blobs into the folder named by the first argument and writes each name, once put, to stdout; for ever.
import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { openBlobStore } from '../../../src/blobs/blob-store.ts'

const STDOUT = 1
const [folder = ''] = process.argv.slice(2)
const blobs = openBlobStore(folder)
for (;;) {
  const names = blobs.putMany([randomBytes(100_000), randomBytes(200_000)])
  writeSync(STDOUT, names.map((name) => `${name}\n`).join(''))
}
