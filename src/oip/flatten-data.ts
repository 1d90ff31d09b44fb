import { OipError } from './oip-error.ts'

/** A JSON tensor's elements in row-major order. OIP lets `data` be flat, or nested just as `shape` says. Throws OipError. */
export function flattenData(name: string, shape: readonly number[], data: unknown): unknown[] {
  if (!Array.isArray(data)) throw new OipError('request_malformed', `data of "${name}" is not an array`)
  const isNested = shape.length > 1 && Array.isArray(data[0])
  const elements = isNested ? flattenNested(name, shape, data) : data
  const expected = shape.reduce((product, size) => product * size, 1)
  if (elements.length !== expected) {
    throw new OipError(
      'data_length_mismatch',
      `data of "${name}" holds ${elements.length} elements, shape [${shape}] says ${expected}`,
    )
  }
  return elements
}

function flattenNested(name: string, shape: readonly number[], data: unknown[]): unknown[] {
  let rows: unknown[] = [data]
  for (const size of shape) {
    if (rows.some((row) => !Array.isArray(row) || row.length !== size)) {
      throw new OipError('data_length_mismatch', `data of "${name}" is not nested as shape [${shape}] says`)
    }
    rows = rows.flat()
  }
  return rows
}
