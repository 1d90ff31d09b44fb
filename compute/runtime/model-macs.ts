import assert from 'node:assert/strict'
import { admitModel } from '../onnx/admission.ts'
import { countMacs, operandNames } from '../onnx/macs.ts'
import { encodeModel } from '../onnx/model.ts'
import { graphOf } from '../onnx/signature.ts'
import { spawnRunnerChild } from './runner-child.ts'
import type { InputShape } from './runner-message.ts'

/** One run of one item; what takes longer is no model to lease. */
const MEASURE_LIMIT_MS = 120_000

/**
 * Multiply–accumulates for one item, the unit of work. Exact shapes come from running the model once with the tensors in question made
 * outputs: inferring them by rule is a second implementation of every operator. Throws AdmissionError, ModelError or RunError.
 */
export async function modelMacs(bytes: Uint8Array): Promise<bigint> {
  const { model, signature } = admitModel(bytes)
  const graph = graphOf(model)
  const inputs = signature.inputs.map(({ shape, ...input }) => ({
    ...input,
    shape: shape.map((size) => size ?? 1),
  }))
  const known = new Map<string, number[]>([
    ...inputs.map(({ name, shape }): [string, number[]] => [name, shape]),
    ...graph.initializer.map(({ name = '', dims }): [string, number[]] => [name, dims.map(Number)]),
  ])
  const outputs = new Set(graph.output.map(({ name }) => name))
  const exposed = operandNames(model).filter((name) => !known.has(name) && !outputs.has(name))
  const output = [...graph.output, ...exposed.map((name) => ({ name }))]
  const shapes = await measureShapes(encodeModel({ ...model, graph: { ...graph, output } }), inputs)
  for (const [name, shape] of Object.entries(shapes)) known.set(name, shape)
  return countMacs(model, (name) => {
    const shape = known.get(name)
    assert(shape !== undefined, `${name} has a shape`)
    return shape
  })
}

async function measureShapes(model: Uint8Array, inputs: InputShape[]): Promise<Record<string, number[]>> {
  const child = spawnRunnerChild(null)
  try {
    const request = { kind: 'shapes', inputs } as const
    const { header } = await child.request('shapes', request, [model], Date.now() + MEASURE_LIMIT_MS)
    return header.shapes
  } finally {
    await child[Symbol.asyncDispose]()
  }
}
