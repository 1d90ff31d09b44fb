import {
  bundleDigest,
  type Datatype,
  encodeTensorBundle,
  type Tensor,
  TensorError,
} from '../../compute/work/tensor-bundle.ts'
import { ClientError } from '../client/ask-coordinator.ts'
import { datatypeOf, type TensorData, tensorBytes } from './tensor-data.ts'

export interface ClientTensor {
  readonly shape: readonly number[]
  readonly data: TensorData
  /** Needed for BOOL (a Uint8Array) and FP16 (a Uint16Array) alone. */
  readonly datatype?: Datatype
}

/** By name. Their data are views where they are arrays of numbers. */
export function tensorsOf(named: Readonly<Record<string, ClientTensor>>): Tensor[] {
  return Object.entries(named).map(([name, { shape, data, datatype = datatypeOf(data) }]) => ({
    name,
    datatype,
    shape: [...shape],
    data: tensorBytes(data),
  }))
}

/** Of their bundle (docs/PROTOCOL.md §2). Throws ClientError `tensor_malformed`. */
export function digestOf(named: Readonly<Record<string, ClientTensor>>): Uint8Array {
  try {
    return bundleDigest(encodeTensorBundle(tensorsOf(named)))
  } catch (cause) {
    if (!(cause instanceof TensorError)) throw cause
    throw new ClientError(cause.code, null, cause.message, cause)
  }
}
