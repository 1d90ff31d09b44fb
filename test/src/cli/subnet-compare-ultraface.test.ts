import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const CLI = fileURLToPath(new URL('../../../src/cli/assay.js', import.meta.url))

/** A folder with models of github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB (MIT), which are not the repository's. */
const MODELS = process.env.ASSAY_ULTRAFACE ?? ''

/** The largest differences of outputs, relative as bounds are. */
function beside(other: string): Record<string, number> {
  const files = ['ultraface-RFB-320.onnx', other].map((name) => join(MODELS, name))
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [CLI, 'subnet', 'compare', ...files, '--noise', '2', '--json'],
    { encoding: 'utf8' },
  )
  expect(status, stderr).toBe(0)
  return JSON.parse(stdout).outputs
}

test.skipIf(!existsSync(join(MODELS, 'ultraface-RFB-320.onnx')))(
  'a face detector: its simplified graph scores alike, a slimmer model in its place does not',
  () => {
    // Within the bounds that `subnet calibrate` sets; the graph leaves the decoding of boxes to its caller.
    const { scores, boxes } = beside('ultraface-RFB-320_simplified.onnx')
    expect(scores).toBeLessThan(7.7e-6)
    expect(boxes).toBeGreaterThan(1)
    const slim = beside('ultraface-slim-320.onnx')
    expect(slim.scores).toBeGreaterThan(0.01)
    expect(slim.boxes).toBeGreaterThan(0.01)
  },
)
