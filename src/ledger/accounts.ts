import { LedgerError } from './ledger-error.ts'

/**
 * Names of accounts. Assets and expenses, increased by debits: `treasury` (coins on chain), `fees` (paid to miners),
 * `inherited` (debts taken over from the log that this one succeeds: its coins come as deposits), `lost` (coins that
 * something else than a payout has spent).
 * Owed to somebody, increased by credits: `reserve` (nobody's yet), `escrow` (charged, not yet earned), and below.
 */
export type AccountName =
  | 'treasury'
  | 'fees'
  | 'inherited'
  | 'lost'
  | 'reserve'
  | 'escrow'
  | `budget/${string}` // an epoch's, by its number
  | `requester/${string}` // deposited, not yet spent
  | `worker/${string}/unmatured`
  | `worker/${string}/matured`
  | `payout/${string}` // on its way, by its number

interface Account {
  kind:
    | 'treasury'
    | 'fees'
    | 'inherited'
    | 'lost'
    | 'reserve'
    | 'escrow'
    | 'budget'
    | 'requester'
    | 'unmatured'
    | 'matured'
    | 'payout'
  /** The side that increases it. */
  normal: 'debit' | 'credit'
  /** Epoch, requester, worker key or payout number; null where there is one such account. */
  owner: string | null
}

const KINDS: { kind: Account['kind']; normal: Account['normal']; pattern: RegExp }[] = [
  { kind: 'treasury', normal: 'debit', pattern: /^treasury$/ },
  { kind: 'fees', normal: 'debit', pattern: /^fees$/ },
  { kind: 'inherited', normal: 'debit', pattern: /^inherited$/ },
  { kind: 'lost', normal: 'debit', pattern: /^lost$/ },
  { kind: 'reserve', normal: 'credit', pattern: /^reserve$/ },
  { kind: 'escrow', normal: 'credit', pattern: /^escrow$/ },
  { kind: 'budget', normal: 'credit', pattern: /^budget\/(0|[1-9][0-9]{0,14})$/ },
  { kind: 'requester', normal: 'credit', pattern: /^requester\/([a-z0-9-]{1,64})$/ },
  { kind: 'unmatured', normal: 'credit', pattern: /^worker\/([0-9a-f]{64})\/unmatured$/ },
  { kind: 'matured', normal: 'credit', pattern: /^worker\/([0-9a-f]{64})\/matured$/ },
  { kind: 'payout', normal: 'credit', pattern: /^payout\/(0|[1-9][0-9]{0,14})$/ },
]

/** @throws LedgerError `account_unknown` */
export function assertAccount(name: string): asserts name is AccountName {
  parseAccount(name)
}

/** @throws LedgerError `account_unknown` */
export function parseAccount(name: string): Account {
  for (const { kind, normal, pattern } of KINDS) {
    const match = pattern.exec(name)
    if (match) return { kind, normal, owner: match[1] ?? null }
  }
  throw new LedgerError('account_unknown', `no account can be called ${JSON.stringify(name)}`)
}

export function budgetAccount(epoch: number): AccountName {
  return `budget/${epoch}`
}

export function requesterAccount(requester: string): AccountName {
  return `requester/${requester}`
}

/** @param worker key, 64 hex digits */
export function unmaturedAccount(worker: string): AccountName {
  return `worker/${worker}/unmatured`
}

/** @param worker key, 64 hex digits */
export function maturedAccount(worker: string): AccountName {
  return `worker/${worker}/matured`
}

export function payoutAccount(payout: number): AccountName {
  return `payout/${payout}`
}
