export type BlobErrorCode =
  | 'blob_name_invalid' // not 64 lowercase hex digits
  | 'blob_too_large'
  | 'blob_corrupt' // the stored bytes don't have the hash that names them
  | 'blob_unreadable' // the cause says why
  | 'blob_unwritable' // disk full, no permission; the cause says which

/** An operating error of the blob store. Match on `code`. */
export class BlobError extends Error {
  override readonly name = 'BlobError'
  readonly code: BlobErrorCode

  constructor(code: BlobErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
