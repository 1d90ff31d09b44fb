import { encodeTensorBundle, parseTensorBundle, type Tensor } from './tensor-bundle.ts'

/** Several numeric input bundles as one, one's rows after the other's; null where they aren't rows of one batch. */
export function joinRows(bundles: readonly Uint8Array[]): Uint8Array | null {
  const [first, ...others] = bundles.map((bundle) => parseTensorBundle(bundle))
  if (first === undefined || others.some(({ length }) => length !== first.length)) return null
  // A bundle whose tensors differ in rows would shift those of everybody behind it.
  if ([first, ...others].some((tensors) => tensors.some(({ shape }) => shape[0] !== tensors[0]?.shape[0]))) {
    return null
  }
  const joined: Tensor[] = []
  for (const [place, tensor] of first.entries()) {
    const type = rowType(tensor)
    const parts = [tensor, ...others.flatMap((tensors) => tensors[place] ?? [])]
    if (type === null || parts.some((part) => rowType(part) !== type)) return null
    const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0)
    const data = Buffer.concat(parts.map((part) => part.data))
    joined.push({ ...tensor, shape: [rows, ...tensor.shape.slice(1)], data })
  }
  return encodeTensorBundle(joined)
}

/** An output bundle of such a batch as one bundle for each of the inputs, of so many rows each; null where it has not a row for each. */
export function splitRows(bundle: Uint8Array, rows: readonly number[]): Uint8Array[] | null {
  const tensors = parseTensorBundle(bundle)
  const all = rows.reduce((sum, count) => sum + count, 0)
  if (all === 0 || tensors.some((tensor) => tensor.shape[0] !== all || rowType(tensor) === null)) return null
  let start = 0
  return rows.map((count) => {
    const [from, to] = [start, start + count]
    start = to
    return encodeTensorBundle(
      tensors.map((tensor) => {
        const rowBytes = tensor.data.length / all
        const data = tensor.data.subarray(from * rowBytes, to * rowBytes)
        return { ...tensor, shape: [count, ...tensor.shape.slice(1)], data }
      }),
    )
  })
}

/** Rows of the first tensor of an input bundle. */
export function rowsOf(bundle: Uint8Array): number {
  return parseTensorBundle(bundle)[0]?.shape[0] ?? 0
}

/** What rows must share to stand in one tensor; texts have no fixed length of a row, scalars no rows. */
function rowType({ name, datatype, shape }: Tensor): string | null {
  const isRows = shape.length > 0 && datatype !== 'BYTES'
  return isRows ? JSON.stringify([name, datatype, ...shape.slice(1)]) : null
}
