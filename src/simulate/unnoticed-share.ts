import { evidenceOf } from '../rules/cusum-evidence.ts'
import { FALSE_FAIL_RATE, P0 } from './setting.ts'

/**
 * The share of its work that a worker who watches its own score can cheat in for ever: at it, fails raise the score as fast as passes
 * lower it. Audits can be as many as one likes; only the threshold between p0 and p1 would change it.
 */
export function unnoticedShare(): number {
  const { pass, fail } = evidenceOf(P0)
  return Number(pass) / Number(pass + fail) - FALSE_FAIL_RATE
}
