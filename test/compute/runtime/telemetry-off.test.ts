import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { node } from '../../../compute/onnx/graph-builder.ts'
import { encodeModel } from '../../../compute/onnx/model.ts'
import { unary } from '../onnx/sample-models.ts'

const ROOT = join(import.meta.dirname, '../../..')
const MODEL = Buffer.from(encodeModel(unary([node('Identity', ['x'], ['y'])], 'FP32', [1]))).toString(
  'base64',
)

test('every file reaches ONNX Runtime through the one door, which turns its telemetry off', () => {
  const files = globSync('{anchor,bench,compute,regtest,src,test}/**/*.ts', { cwd: ROOT })
  const loading = files.filter((file) =>
    /(?:from|import|import\(|require\()\s*['"]onnxruntime-node['"]/.test(
      readFileSync(join(ROOT, file), 'utf8'),
    ),
  )
  expect(loading).toEqual(['compute/runtime/onnxruntime.ts'])
})

test('a process that loads a model leaves no identifier of the machine behind', () => {
  const home = mkdtempSync(join(tmpdir(), 'assay-home-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  const door = join(ROOT, 'compute/runtime/onnxruntime.ts')
  const script = `
    import { InferenceSession } from '${door}'
    const session = await InferenceSession.create(Buffer.from('${MODEL}', 'base64'))
    console.log(session.inputNames.length)`
  // Where CI is set the library is silent by itself, and would prove nothing.
  const { CI: _, ...env } = process.env
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...env, HOME: home, XDG_CACHE_HOME: join(home, 'cache') },
    encoding: 'utf8',
  })
  expect(printed).toBe('1\n')
  expect(readdirSync(home)).toEqual([])
})
