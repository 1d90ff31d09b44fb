export type StoreErrorCode =
  | 'database_unreadable' // missing folder, no permission, not SQLite
  | 'database_foreign' // SQLite, but not Assay's
  | 'durability_refused' // no write-ahead log or no full sync here, as on some network file systems
  | 'schema_newer' // written by a later version of Assay
  | 'folder_in_use' // by another coordinator
  | 'blobs_missing' // what the database names, and no power cut can have taken

/** An operating error of the database. Match on `code`. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
