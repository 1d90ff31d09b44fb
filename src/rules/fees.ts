import assert from 'node:assert/strict'
import { isRefuted } from './outcome.ts'
import type { Demand } from './price.ts'
import type { ReceiptOutcome } from './settle-epoch.ts'

const WHOLE_BASIS_POINTS = 10_000n

/** What a requester pays for one receipt, and who gets it. The two parts are the whole charge. */
export interface Fee {
  /** Receipt id, hex. */
  readonly receipt: string
  readonly requester: string
  readonly subnet: string
  /** Digest, hex. */
  readonly model: string
  /** Key, hex: whose receipt it is. */
  readonly worker: string
  readonly msat: bigint
  /** The operator's, as published in the definition. */
  readonly shareMsat: bigint
}

/** A charge in its two parts; the operator's is rounded down. */
export function splitCharge(
  chargeMsat: bigint,
  operatorBasisPoints: number,
): { msat: bigint; shareMsat: bigint } {
  assert(
    operatorBasisPoints >= 0 && operatorBasisPoints <= WHOLE_BASIS_POINTS,
    'a share is a part of the whole',
  )
  const shareMsat = (chargeMsat * BigInt(operatorBasisPoints)) / WHOLE_BASIS_POINTS
  return { msat: chargeMsat - shareMsat, shareMsat }
}

/** Exactly the receipts that were bought, in the order of their ids. */
export function feesOf(
  receipts: readonly {
    readonly receipt: string
    readonly subnet: string
    readonly model: string
    readonly worker: string
    readonly outcome: ReceiptOutcome
    /** Null where nobody asked. */
    readonly requester: string | null
    readonly chargeMsat: bigint
    readonly operatorBasisPoints: number
  }[],
): Fee[] {
  return receipts
    .flatMap(({ receipt, subnet, model, worker, outcome, requester, chargeMsat, operatorBasisPoints }) => {
      if (outcome !== 'bought') return []
      assert(requester !== null, 'whatever is bought has a buyer')
      return [{ receipt, requester, subnet, model, worker, ...splitCharge(chargeMsat, operatorBasisPoints) }]
    })
    .sort((a, b) => (a.receipt < b.receipt ? -1 : 1))
}

/** What was asked of each subnet and answered: the epoch's part in the next price. */
export function demandOf(
  subnets: readonly string[],
  receipts: readonly {
    readonly subnet: string
    readonly units: bigint
    readonly outcome: ReceiptOutcome
    readonly requester: string | null
  }[],
): ReadonlyMap<string, Demand> {
  const bySubnet = Map.groupBy(receipts, ({ subnet }) => subnet)
  return new Map(
    subnets.map((subnet) => {
      const own = bySubnet.get(subnet) ?? []
      return [
        subnet,
        {
          askedUnits: sumUnits(own.filter(({ requester }) => requester !== null)),
          answeredUnits: sumUnits(own.filter(({ outcome }) => !isRefuted(outcome))),
        },
      ]
    }),
  )
}

function sumUnits(receipts: readonly { readonly units: bigint }[]): bigint {
  return receipts.reduce((sum, { units }) => sum + units, 0n)
}
