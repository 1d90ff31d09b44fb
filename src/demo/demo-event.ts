import type { ReadStatus } from '../client/status-answer.ts'

/** What the demo tells its screen. */
export type DemoEvent =
  | { kind: 'stage'; stage: Stage }
  | { kind: 'detail'; detail: string }
  /** 0 to 1 within the stage. */
  | { kind: 'fraction'; fraction: number; detail: string }
  | { kind: 'status'; status: ReadStatus }

export type Stage =
  | 'bitcoind'
  | 'model'
  | 'coordinator'
  | 'workers'
  | 'work'
  | 'settlement'
  | 'payout'
  | 'proofs'

export interface DemoCheck {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

export interface DemoSummary {
  readonly ok: boolean
  readonly seconds: number
  readonly bitcoind: string
  readonly blocks: number
  readonly jobs: number
  readonly receipts: number
  readonly accuracy: { readonly training: number; readonly dataset: number; readonly requests: number }
  readonly log: { readonly entries: number; readonly root: string }
  readonly anchors: readonly {
    index: number
    txid: string
    vsize: number
    feeSats: string
    height: number
  }[]
  readonly audits: {
    readonly sampled: number
    readonly receipts: number
    readonly passed: number
    readonly failed: number
  }
  readonly workers: readonly {
    worker: string
    address: string
    receipts: number
    accruedSats: string
    paidSats: string
    onChainSats: string
  }[]
  readonly payouts: readonly { number: number; txid: string; sats: string; feeSats: string; vsize: number }[]
  readonly proofs: { readonly verified: number; readonly bytes: number; readonly otsBytes: number }
  readonly checks: readonly DemoCheck[]
}
