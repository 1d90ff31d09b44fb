/** Stable: clients match on them. All are the requester's, but `answer_invalid`. */
export type OipCode =
  | 'header_length_invalid'
  | 'request_malformed'
  | 'parameter_unsupported'
  | 'input_unknown'
  | 'input_repeated'
  | 'input_missing'
  | 'datatype_mismatch'
  | 'shape_mismatch'
  | 'batch_empty'
  | 'tensor_too_large'
  | 'data_missing'
  | 'data_length_mismatch'
  | 'binary_length_mismatch'
  | 'value_invalid'
  | 'binary_required'
  | 'output_unknown'
  | 'output_repeated'
  | 'answer_invalid'

/** Names are a stranger's: 64 KiB that are packed could ask for 64 MiB of an answer. */
const MAX_MESSAGE_LENGTH = 4_096

/** A request that the model can't take, or (502) an answer that isn't the model's. */
export class OipError extends Error {
  override readonly name = 'OipError'
  readonly code: OipCode
  readonly status: number

  constructor(code: OipCode, message: string, options?: ErrorOptions) {
    super(
      message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH - 1)}…` : message,
      options,
    )
    this.code = code
    this.status = code === 'answer_invalid' ? 502 : 400
  }
}
