/** One gauge of a scrape. Without samples there is nothing to say yet: absent isn't zero. */
export interface Reading {
  readonly name: string
  readonly help: string
  /** The one label that its samples differ in; null for a gauge of one value. */
  readonly label: string | null
  readonly samples: readonly { readonly value: number; readonly of?: string }[]
}

/** Prometheus keeps float64: sums above 2^53 are rounded there, and nowhere else. */
type Figure = number | bigint | boolean

export function reading(name: string, help: string, value: Figure | null): Reading {
  return { name, help, label: null, samples: value === null ? [] : [{ value: Number(value) }] }
}

/** `values`: pairs of the label's value and the figure. */
export function readingBy(
  name: string,
  help: string,
  label: string,
  values: Iterable<readonly [string, Figure]>,
): Reading {
  return { name, help, label, samples: Array.from(values, ([of, value]) => ({ of, value: Number(value) })) }
}
