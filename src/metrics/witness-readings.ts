import type { Coordinator } from '../coordinator/coordinator.ts'
import { type Reading, readingBy } from './reading.ts'

/** What the log's witnesses have cosigned. */
export function witnessReadings({ witnessing }: Coordinator): Reading[] {
  const witnesses = witnessing.list()
  return [
    readingBy(
      'assay_witness_size',
      'Entries of the last head that a witness cosigned.',
      'witness',
      witnesses.flatMap(({ witness, size }) => (size === null ? [] : [[witness, size] as const])),
    ),
    readingBy(
      'assay_witness_alarm',
      '1 while a witness knows a head that this log does not lead to.',
      'witness',
      witnesses.map(({ witness, alarm }) => [witness, alarm === null ? 0 : 1] as const),
    ),
  ]
}
