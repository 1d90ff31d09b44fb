import { z } from 'zod'
import type { Calibration } from '../../compute/compare/calibrate.ts'
import { type ModelProfile, modelProfile } from '../../compute/work/model-profile.ts'

const count = z.int().min(1)

/** What a definition takes of a report; the rest is for people. */
const report = z.object({
  /** SHA-256 of the ONNX file. */
  model: z.string().regex(/^[0-9a-f]{64}$/),
  profile: modelProfile,
  falseFailRate: z.object({ denominator: count, numerator: count }),
  refusals: z.array(z.string()),
})

type CalibrationReport = z.infer<typeof report>

/** Codes: `calibration_malformed`, `calibration_refused`, `calibration_of_other_model`. */
class CalibrationReportError extends Error {
  override readonly name = 'CalibrationReportError'
  readonly code: 'calibration_malformed' | 'calibration_refused' | 'calibration_of_other_model'

  constructor(code: CalibrationReportError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** A calibration with what a definition takes of it. */
export function reportOf(calibration: Calibration): Calibration & CalibrationReport {
  const { bounds, detections, p0 } = calibration
  const profile: ModelProfile = {
    bounds,
    comparison: 'tolerant',
    detections: detections.flatMap(({ cheat, caught, runs, claimed }) =>
      claimed ? [{ caught, cheat, runs }] : [],
    ),
    precision: 'fp32',
  }
  return { ...calibration, profile, falseFailRate: p0 }
}

/** Profile and rate of a report that may be used for that model (SHA-256, hex). Throws CalibrationReportError. */
export function readReport(
  text: string,
  model: string,
): Pick<CalibrationReport, 'profile' | 'falseFailRate'> {
  const { refusals, profile, falseFailRate, model: calibrated } = parsed(text)
  if (calibrated !== model) {
    throw new CalibrationReportError(
      'calibration_of_other_model',
      `calibrated was ${calibrated}, this is ${model}`,
    )
  }
  if (refusals.length > 0) throw new CalibrationReportError('calibration_refused', refusals.join('; '))
  return { profile, falseFailRate }
}

function parsed(text: string): CalibrationReport {
  try {
    return report.parse(JSON.parse(text))
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause)
    throw new CalibrationReportError('calibration_malformed', why, { cause })
  }
}
