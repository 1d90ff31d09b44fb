import { anchorFee, type FeeLimits, type FeeMarket, type FeeQuestion } from './fee.ts'

interface Priced {
  vsize: number
  feeSats: bigint
}

export interface BumpQuestion {
  market: FeeMarket
  /** `capSats` is for payment and child together. */
  limits: FeeLimits
  /** In the mempool. */
  payment: Priced & { descendantFeeSats: bigint }
  /** Our own, in the mempool beside it. */
  child: Priced | null
  /** Of the child that could be made. */
  childVsize: number
}

/** The fee of the transaction that would be made: another payment, or a child beside the one that is there. */
export interface Bump {
  kind: 'replacement' | 'child'
  feeSats: bigint
}

/**
 * What can be done for a payment that waits too long, the cheapest first: a replacement, which pays for every
 * descendant that it evicts (BIP-125 rule 3), so that a payee's child can price it out; or a child of our own, which
 * owes payees' children nothing. Either leaves the whole at a strictly higher fee and feerate. Where the limits allow
 * neither: the least that would have to be paid.
 */
export function priceBump({ market, limits, payment, child, childVsize }: BumpQuestion): {
  bumps: Bump[]
  neededSats: bigint
} {
  const replaced = { vsize: payment.vsize, feeSats: payment.descendantFeeSats }
  const replacement = ask({ ...market, ...limits, vsize: payment.vsize, replaces: replaced })
  const whole = {
    vsize: payment.vsize + (child?.vsize ?? 0),
    feeSats: payment.feeSats + (child?.feeSats ?? 0n),
  }
  const family = ask({ ...market, ...limits, vsize: payment.vsize + childVsize, replaces: whole })
  const ways = [
    { kind: 'replacement' as const, ...replacement },
    { kind: 'child' as const, ...family },
  ].toSorted((a, b) => (a.sats < b.sats ? -1 : 1))
  return {
    bumps: ways
      .filter(({ isAllowed }) => isAllowed)
      .map(({ kind, sats }) => ({ kind, feeSats: kind === 'child' ? sats - payment.feeSats : sats })),
    neededSats: ways[0]?.sats ?? 0n,
  }
}

function ask(question: FeeQuestion): { isAllowed: boolean; sats: bigint } {
  const answer = anchorFee(question)
  return answer.kind === 'fee'
    ? { isAllowed: true, sats: answer.feeSats }
    : { isAllowed: false, sats: answer.neededSats }
}
