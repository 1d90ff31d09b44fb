type RepositoryCode =
  | 'repository_unreadable'
  | 'repository_empty'
  | 'repository_too_many_models'
  | 'repository_link_outside'
  | 'repository_model_unknown'
  | 'repository_model_refused'
  | 'repository_name_unsupported'
  | 'repository_version_missing'
  | 'repository_versions_several'
  | 'repository_file_missing'
  | 'repository_file_too_large'
  | 'repository_platform_unsupported'
  | 'repository_config_malformed'
  | 'repository_config_unsupported'
  | 'repository_config_differs'

/** The folder can't be served as it stands. Codes: RepositoryCode; the message begins with the path in question. */
export class RepositoryError extends Error {
  override readonly name = 'RepositoryError'
  readonly code: RepositoryCode

  constructor(code: RepositoryCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
