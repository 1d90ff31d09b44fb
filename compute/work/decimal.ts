import { z } from 'zod'
import { integer } from './record.ts'

/** Below it lies no binary64 number. */
const MAX_SCALE = 330

/** Bounds carry a margin; a third digit would feign knowledge. */
const SIGNIFICANT_DIGITS = 2

/** A number without a float: digits · 10^−scale. */
export const decimal = z.strictObject({ digits: integer, scale: integer.max(MAX_SCALE) })
type Decimal = z.infer<typeof decimal>

/** The nearest binary64 number: what parsing the decimal text gives in every language (IEEE 754 §5.12.2). */
export function decimalValue({ digits, scale }: Decimal): number {
  return Number(`${digits}e-${scale}`)
}

/** The least decimal of two significant digits that is no less than a finite value from 0 up. */
export function decimalAtLeast(value: number): Decimal {
  const [mantissa = '0', exponent = '0'] = value.toExponential(SIGNIFICANT_DIGITS - 1).split('e')
  const scale = SIGNIFICANT_DIGITS - 1 - Number(exponent)
  const nearest = Number(mantissa.replace('.', ''))
  const digits = Number(`${nearest}e${-scale}`) < value ? nearest + 1 : nearest
  return scale < 0 ? { digits: digits * 10 ** -scale, scale: 0 } : shortened({ digits, scale })
}

function shortened({ digits, scale }: Decimal): Decimal {
  return digits % 10 === 0 && scale > 0
    ? shortened({ digits: digits / 10, scale: scale - 1 })
    : { digits, scale }
}
