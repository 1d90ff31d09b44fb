/** A request that the coordinator refuses; `code` is stable and part of the API, `extensions` go into the answer. */
export class RefusedError extends Error {
  readonly code: string
  readonly status: number
  readonly extensions: Readonly<Record<string, unknown>>

  constructor(
    status: number,
    code: string,
    detail: string,
    options: { cause?: unknown; extensions?: Record<string, unknown> } = {},
  ) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause })
    this.status = status
    this.code = code
    this.extensions = options.extensions ?? {}
  }
}
