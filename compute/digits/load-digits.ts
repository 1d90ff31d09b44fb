import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

export const PIXELS = 64
export const CLASSES = 10
export const MAX_PIXEL = 16

/** The fixed split: rows 0 to 1,196 train, the other 600 are unseen. */
export const TRAINING_ROWS = 1_197

const ROWS = 1_797

export interface Digits {
  /** One row per digit: 64 values of 0 to 16. */
  pixels: Float32Array[]
  labels: number[]
}

/** The whole set (README.md says where it comes from), in its file's order. */
export function loadDigits(): Digits {
  const digits: Digits = { pixels: [], labels: [] }
  for (const line of gunzipSync(readFileSync(dataFile())).toString('ascii').trimEnd().split('\n')) {
    const row = line.split(',').map(Number)
    assert(row.length === PIXELS + 1, 'a row of digits.csv holds 64 pixels and a label')
    digits.pixels.push(Float32Array.from(row.slice(0, PIXELS)))
    digits.labels.push(Number(row[PIXELS]))
  }
  assert(digits.labels.length === ROWS, 'digits.csv holds 1,797 rows')
  return digits
}

/** The data stands beside the sources; the built file is dist/compute/digits/load-digits.js. */
function dataFile(): URL {
  const folder = import.meta.url.endsWith('.ts') ? './' : '../../../compute/digits/'
  return new URL(`${folder}digits.csv.gz`, import.meta.url)
}
