/** Length of each BYTES element, uint32 LE, before its bytes. */
const LENGTH_BYTES = 4

/** The elements of a BYTES tensor's data, one by one: they may be millions. The last is null when it is cut short. */
export function* lengthPrefixed(data: Uint8Array): Generator<Uint8Array | null> {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  for (let at = 0; at < data.length; ) {
    const start = at + LENGTH_BYTES
    const end = start <= data.length ? start + view.getUint32(at, true) : Number.POSITIVE_INFINITY
    if (end > data.length) {
      yield null
      return
    }
    yield data.subarray(start, end)
    at = end
  }
}

export function prefixLengths(elements: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    elements.flatMap((element) => {
      const length = Buffer.alloc(LENGTH_BYTES)
      length.writeUInt32LE(element.length)
      return [length, element]
    }),
  )
}
