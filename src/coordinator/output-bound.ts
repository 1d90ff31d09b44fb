import { datatypeOf } from '../../compute/onnx/datatype.ts'
import { decodeModel, ModelError, type ModelProto, type ValueInfoProto } from '../../compute/onnx/model.ts'
import { batchRows, graphOf, modelSignature } from '../../compute/onnx/signature.ts'
import { hex } from '../../compute/work/hex.ts'
import {
  ELEMENT_ARRAYS,
  MAX_BUNDLE_BYTES,
  parseTensorBundle,
  TensorError,
} from '../../compute/work/tensor-bundle.ts'
import type { Books } from './books.ts'

/** Bytes of the bundle that answers these inputs, at most. */
export type OutputBound = (inputs: Uint8Array) => number

type Dimension = { dimValue?: bigint; dimParam?: string }

/** A tensor's keys, datatype, shape and lengths in a bundle, and its name's head: far less at any rank. */
const FRAME_BYTES = 512

const UNKNOWN: OutputBound = () => MAX_BUNDLE_BYTES

/** By digest, read once: a model may be large, and there are as many as the log's definitions have. */
export function openOutputBounds({
  blobs,
}: Pick<Books, 'blobs'>): (model: Uint8Array, inputs: Uint8Array) => number {
  const known = new Map<string, OutputBound>()

  function read(digest: string): OutputBound {
    const bytes = blobs.get(digest)
    try {
      return bytes === null ? UNKNOWN : outputBound(decodeModel(bytes))
    } catch (error) {
      // No worker can run it, and nobody has looked into it: it was not held when its definition came.
      if (error instanceof ModelError) return UNKNOWN
      throw error
    }
  }

  return (model, inputs) => {
    const digest = hex(model)
    const bound = known.get(digest) ?? read(digest)
    known.set(digest, bound)
    return bound(inputs)
  }
}

/**
 * By the shapes that the model declares, where every dimension is fixed; or all but the first, if that is
 * free by one name for the rows of the first input and for each output. What follows from data, and text, may
 * be as large as any bundle.
 */
export function outputBound(model: ModelProto): OutputBound {
  const { input, output } = graphOf(model)
  const signature = modelSignature(model)
  const [rows] = dimensionsOf(input.find(({ name }) => name === signature.inputs[0]?.name))
  const areFree = rows !== undefined && sizeOf(rows) === null
  let [frameBytes, rowBytes] = [0, 0]
  for (const one of output) {
    const [first, ...rest] = dimensionsOf(one)
    if (areFree && (!rows.dimParam || first?.dimParam !== rows.dimParam)) return UNKNOWN
    const sizes = (areFree || first === undefined ? rest : [first, ...rest]).map(sizeOf)
    const datatype = datatypeOf(one.type?.tensorType?.elemType)
    if (datatype === undefined || datatype === 'BYTES' || sizes.includes(null)) return UNKNOWN
    frameBytes += FRAME_BYTES + Buffer.byteLength(one.name ?? '')
    rowBytes += sizes.reduce<number>(
      (product, size) => product * (size ?? 0),
      ELEMENT_ARRAYS[datatype].BYTES_PER_ELEMENT,
    )
  }
  return (inputs) => {
    try {
      const rowCount = areFree ? batchRows(signature, parseTensorBundle(inputs)) : 1
      return Math.min(MAX_BUNDLE_BYTES, frameBytes + rowBytes * rowCount)
    } catch (error) {
      // No worker can run it: nobody looks into the items of a dataset before.
      if (error instanceof TensorError) return MAX_BUNDLE_BYTES
      throw error
    }
  }
}

function dimensionsOf(value: ValueInfoProto | undefined): Dimension[] {
  return value?.type?.tensorType?.shape?.dim ?? []
}

/** null: free. Some exporters write −1 for that. */
function sizeOf({ dimValue }: Dimension): number | null {
  return dimValue === undefined || dimValue < 0n ? null : Number(dimValue)
}
