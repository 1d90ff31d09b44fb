/** One check, as the page shows it. */
export interface ShownCheck {
  /** As the command line names it. */
  readonly name: string
  readonly title: string
  readonly meaning: string
  /** Null: not made. */
  readonly ok: boolean | null
  readonly detail: string
}

export interface Result {
  readonly tone: 'good' | 'bad' | 'open'
  readonly verdict: string
  /** What the reader should know beside it: what the headers are worth, whose keys were believed. */
  readonly remarks: readonly string[]
  readonly checks: readonly ShownCheck[]
  readonly facts: readonly (readonly [name: string, value: string])[]
  /** Without the time that headers took to come. */
  readonly tookMs: number
}
