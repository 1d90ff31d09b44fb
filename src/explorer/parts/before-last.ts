/** The page that goes on below a last row counted from 0, the newest standing first. */
export function beforeLast(key: number | undefined): string | null {
  return key === undefined || key === 0 ? null : `?before=${key}`
}
