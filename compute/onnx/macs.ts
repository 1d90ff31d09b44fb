import type { ModelProto, NodeProto } from './model.ts'
import { graphOf } from './signature.ts'

type Shape = readonly number[]

/** Multiply–accumulates of one operator: which tensors' shapes they follow from, and how. */
interface Rule {
  shapes: (node: NodeProto) => (string | undefined)[]
  count: (...shapes: Shape[]) => bigint
}

const volume = (shape: Shape): bigint => shape.reduce((product, size) => product * BigInt(size), 1n)

/** Each element of the output (transposed: of the input) meets one filter without its first axis. */
const convolution = (weightIndex: number): Rule => ({
  shapes: ({ input, output }) => [output[0], input[weightIndex]],
  count: (swept = [], weight = []) => volume(swept) * volume(weight.slice(1)),
})

/** Each element of the output is a dot product along the last axis of the left factor. */
const product: Rule = {
  shapes: ({ input, output }) => [output[0], input[0]],
  count: (out = [], left = []) => volume(out) * BigInt(left.at(-1) ?? 1),
}

const RULES = new Map<string, Rule>([
  ['Conv', convolution(1)],
  ['ConvInteger', convolution(1)],
  ['QLinearConv', convolution(3)],
  ['ConvTranspose', { ...convolution(1), shapes: ({ input }) => [input[0], input[1]] }],
  ['MatMul', product],
  ['MatMulInteger', product],
  ['QLinearMatMul', product],
  [
    'Gemm',
    {
      // Y = A′·B′: with transA the inner axis is the first of A.
      shapes: ({ input, output }) => [output[0], input[0]],
      count: (out = [], left = []) => volume(out) * (volume(left) / (BigInt(out[0] ?? 1) || 1n)),
    },
  ],
])

/** The tensors whose shapes `countMacs` needs, sorted by name. */
export function operandNames(model: ModelProto): string[] {
  const names = graphOf(model).node.flatMap((node) => RULES.get(node.opType ?? '')?.shapes(node) ?? [])
  return [...new Set(names.filter((name) => name !== undefined))].sort()
}

/**
 * Sum over Conv (outputs × filter), Gemm and MatMul (outputs × inner axis) and their integer kin. A model that has none of them
 * counts one per element of its outputs, so that no work counts nothing.
 */
export function countMacs(model: ModelProto, shapeOf: (name: string) => Shape): bigint {
  const { node: nodes, output } = graphOf(model)
  let macs = 0n
  for (const node of nodes) {
    const rule = RULES.get(node.opType ?? '')
    if (rule === undefined) continue
    macs += rule.count(...rule.shapes(node).map((name) => shapeOf(name ?? '')))
  }
  if (macs > 0n) return macs
  return output.reduce((sum, { name = '' }) => sum + volume(shapeOf(name)), 0n)
}
