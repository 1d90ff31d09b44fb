/** A process that is killed at a given moment of its calls: odd moments are before a call, even ones after it. */
export function dyingAt(dieAt: number) {
  let moments = 0

  function moment(): void {
    moments++
    if (moments === dieAt) process.kill(process.pid, 'SIGKILL')
  }

  function dying<A extends unknown[], R>(call: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      moment()
      const result = await call(...args)
      moment()
      return result
    }
  }

  return { moment, dying }
}
