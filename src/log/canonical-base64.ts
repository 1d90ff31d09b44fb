/** RFC 4648 §4 base64 with padding, as C2SP formats use it; null for any other spelling of the same bytes. */
export function decodeCanonicalBase64(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : null
}
