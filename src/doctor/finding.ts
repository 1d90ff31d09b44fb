export type Check =
  | 'node'
  | 'bitcoind'
  | 'network'
  | 'sync'
  | 'peers'
  | 'pruning'
  | 'wallet'
  | 'zmq'
  | 'relay'
  | 'fees'
  | 'clock'
  | 'keystore'
  | 'folder'
  | 'space'
  | 'port'
  | 'compute'

/** One thing that was looked at. `warn`: it works, and will hurt. `fail`: the coordinator can't do its work. */
export type Finding =
  | { readonly check: Check; readonly state: 'ok'; readonly detail: string; readonly fix: null }
  | { readonly check: Check; readonly state: 'warn' | 'fail'; readonly detail: string; readonly fix: string }

export function ok(check: Check, detail: string): Finding {
  return { check, state: 'ok', detail, fix: null }
}

/** `fix`: what to do, in the imperative. */
export function warn(check: Check, detail: string, fix: string): Finding {
  return { check, state: 'warn', detail, fix }
}

/** `fix`: what to do, in the imperative. */
export function fail(check: Check, detail: string, fix: string): Finding {
  return { check, state: 'fail', detail, fix }
}
