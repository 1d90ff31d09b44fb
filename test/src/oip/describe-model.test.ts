import { expect, test } from 'vitest'
import { modelConfig } from '../../../src/oip/describe-model.ts'

test.each([
  ['BYTES', 'TYPE_STRING'],
  ['BOOL', 'TYPE_BOOL'],
  ['INT64', 'TYPE_INT64'],
  ['FP16', 'TYPE_FP16'],
] as const)('%s is called %s by model_config.proto', (datatype, named) => {
  const scalar = { name: 'x', datatype, shape: [] }
  const config = modelConfig({ name: 'm', signature: { inputs: [scalar], outputs: [], opset: 17 } })
  expect(config.input).toEqual([{ name: 'x', data_type: named, dims: [] }])
})
