/** What a subnet pays for, by name, with what its definition says of it. */
export type Objective = { readonly name: 'throughput' } | ({ readonly name: 'latency' } & LatencyTerms)

export interface LatencyTerms {
  /** Up to here all is paid. */
  readonly targetMs: number
  /** From here on nothing is. */
  readonly limitMs: number
}
