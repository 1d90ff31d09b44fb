import { compareOutputs } from '../../compute/compare/compare-outputs.ts'
import type { ModelProfile } from '../../compute/work/model-profile.ts'
import { encodeTensorBundle, parseTensorBundle, type Tensor } from '../../compute/work/tensor-bundle.ts'

/** The top bit of a little-endian number's last byte: its sign, or half of its range. */
const TOP_BIT = 0x80

/** An output bundle that looks like the right one and isn't, by the model's own comparison; null where none is found. */
export function wrongAnswer(right: Uint8Array, profile: ModelProfile): Uint8Array | null {
  const wrong = encodeTensorBundle(parseTensorBundle(right).map(altered))
  return compareOutputs(profile, wrong, right).verdict === 'fail' ? wrong : null
}

function altered(tensor: Tensor): Tensor {
  const data = Uint8Array.from(tensor.data)
  const last = data.length - 1
  if (last < 0) return tensor
  if (tensor.datatype === 'BOOL' || tensor.datatype === 'BYTES') {
    data[last] = (data[last] ?? 0) ^ 1
    return { ...tensor, data }
  }
  const width = data.length / tensor.shape.reduce((product, size) => product * size, 1)
  for (let end = width - 1; end <= last; end += width) data[end] = (data[end] ?? 0) ^ TOP_BIT
  return { ...tensor, data }
}
