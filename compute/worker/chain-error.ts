/**
 * The log knows another past of this worker than the worker itself: `chain_behind`, the log has lost submissions that
 * it acknowledged; `chain_forked`, it has others in their place.
 */
export class ChainError extends Error {
  readonly code: 'chain_behind' | 'chain_forked'

  constructor(code: 'chain_behind' | 'chain_forked', message: string) {
    super(message)
    this.name = 'ChainError'
    this.code = code
  }
}
