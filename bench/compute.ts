/** Compute: models run for requesters, beside ONNX Runtime with nothing around it. */
import { controlPlane } from './compute/control-plane.ts'
import { oipAlone } from './compute/oip-alone.ts'
import { runnerRows } from './compute/runner.ts'
import { wholeSystem } from './compute/whole-system.ts'
import type { Row } from './row.ts'

export async function* rows(): AsyncGenerator<Row> {
  yield* runnerRows()
  yield await oipAlone()
  yield* controlPlane()
  yield* wholeSystem()
}
