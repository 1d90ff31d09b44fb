import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AccountName, parseAccount } from '../../../src/ledger/accounts.ts'
import { type Outcome, openLedger } from '../../../src/ledger/ledger.ts'
import type { Transfer } from '../../../src/ledger/transfer.ts'
import { temporaryDatabase } from './temporary-database.ts'

const ACCOUNTS: AccountName[] = ['treasury', 'reserve', 'escrow', 'budget/0', 'payout/0']

/**
 * Few ids, so that they meet again; those of reservations apart, so that settlements find them; many for settlements,
 * since each early one uses up its id.
 */
const DIRECT_IDS = Array.from({ length: 30 }, (_, i) => `direct-${i}`)
const PENDING_IDS = Array.from({ length: 10 }, (_, i) => `pending-${i}`)
const SETTLEMENT_IDS = Array.from({ length: 500 }, (_, i) => `settlement-${i}`)

type Command =
  | { do: 'transfer'; transfer: Transfer }
  | { do: 'settle'; pendingId: string; id: string; post: boolean }

const transfers: fc.Arbitrary<Command> = fc
  .record({
    id: fc.constantFrom(...DIRECT_IDS, ...PENDING_IDS),
    debit: fc.constantFrom(...ACCOUNTS, 'treasury', 'treasury', 'treasury'),
    credit: fc.constantFrom(...ACCOUNTS),
    amountMsat: fc.oneof(
      { weight: 9, arbitrary: fc.bigInt({ min: 1n, max: 100n }) },
      { weight: 1, arbitrary: fc.bigInt({ min: -1n, max: 0n }) },
    ),
  })
  .map((parts) => {
    const pending = PENDING_IDS.includes(parts.id)
    return { do: 'transfer', transfer: { ...parts, pending, code: 'test', entryIndex: 0 } }
  })

const settlements: fc.Arbitrary<Command> = fc
  .record({
    pendingId: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...PENDING_IDS) },
      { weight: 1, arbitrary: fc.constantFrom(...DIRECT_IDS) },
    ),
    id: fc.constantFrom(...SETTLEMENT_IDS, ...PENDING_IDS, ...DIRECT_IDS),
    post: fc.boolean(),
  })
  .map((parts) => ({ do: 'settle', ...parts }))

/** Some commands are sent again later. */
const commands: fc.Arbitrary<Command[]> = fc
  .array(
    fc.record({
      command: fc.oneof({ weight: 2, arbitrary: transfers }, { weight: 1, arbitrary: settlements }),
      repeat: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat() }),
    }),
    { minLength: 60, maxLength: 60 },
  )
  .map((drawn) => {
    const list: Command[] = []
    for (const { command, repeat } of drawn) {
      const earlier = repeat === null ? undefined : list[repeat % list.length]
      list.push(earlier ?? command)
    }
    return list
  })

/**
 * The ledger as one would tell it to a child: a list of what happened, and every balance counted from its beginning.
 * `answers` holds for each id what was asked first and whether that was refused.
 */
class Model {
  answers = new Map<string, { asked: string; refused: boolean; command: Command }>()

  apply(command: Command): 'applied' | 'duplicate' | 'refused' {
    const id = command.do === 'transfer' ? command.transfer.id : command.id
    const asked = JSON.stringify(command, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
    const earlier = this.answers.get(id)
    if (earlier) return !earlier.refused && earlier.asked === asked ? 'duplicate' : 'refused'
    const refused = !this.isPossible(command)
    this.answers.set(id, { asked, refused, command })
    return refused ? 'refused' : 'applied'
  }

  isPossible(command: Command): boolean {
    if (command.do === 'settle') {
      const target = this.done().find(
        (done) => done.do === 'transfer' && done.transfer.id === command.pendingId,
      )
      return (
        target?.do === 'transfer' && target.transfer.pending === true && !this.settlementOf(command.pendingId)
      )
    }
    const { debit, credit, amountMsat } = command.transfer
    if (amountMsat <= 0n || debit === credit) return false
    return parseAccount(debit).normal === 'debit' || this.balance(debit).availableMsat >= amountMsat
  }

  done(): Command[] {
    return [...this.answers.values()].filter(({ refused }) => !refused).map(({ command }) => command)
  }

  settlementOf(pendingId: string) {
    return this.done().find((done) => done.do === 'settle' && done.pendingId === pendingId)
  }

  balance(account: AccountName) {
    const isCredit = parseAccount(account).normal === 'credit'
    let postedMsat = 0n
    let pendingMsat = 0n
    for (const command of this.done()) {
      if (command.do === 'settle') continue
      const { id, debit, credit, amountMsat, pending } = command.transfer
      const settlement = this.settlementOf(id)
      const isPosted = pending ? settlement?.do === 'settle' && settlement.post : true
      const isReserved = pending && !settlement
      const [into, outOf] = isCredit ? [credit, debit] : [debit, credit]
      if (into === account && isPosted) postedMsat += amountMsat
      if (outOf === account && isPosted) postedMsat -= amountMsat
      if (outOf === account && isReserved) pendingMsat += amountMsat
    }
    return { postedMsat, pendingMsat, availableMsat: postedMsat - pendingMsat }
  }
}

function kindOf(outcome: Outcome | undefined): string | undefined {
  return typeof outcome === 'object' ? 'refused' : outcome
}

test('any sequence of transfers answers and balances as a naive model does', () => {
  const { db } = temporaryDatabase()
  const ledger = openLedger(db)
  const seen = new Set<string>()
  fc.assert(
    fc.property(commands, (list) => {
      // Each run starts from the empty ledger: its transaction is rolled back.
      db.exec('BEGIN IMMEDIATE')
      try {
        const model = new Model()
        for (const command of list) {
          const outcome =
            command.do === 'transfer'
              ? ledger.post([command.transfer])[0]
              : ledger.settlePending(command.pendingId, { ...command, entryIndex: 0 })
          expect(kindOf(outcome)).toBe(model.apply(command))
          seen.add(typeof outcome === 'object' ? outcome.refused : `${command.do} ${outcome}`)
          for (const account of ACCOUNTS) expect(ledger.balance(account)).toEqual(model.balance(account))
        }
        const signed = ledger
          .accounts()
          .map(({ name, postedMsat }) => (parseAccount(name).normal === 'debit' ? postedMsat : -postedMsat))
        expect(signed.reduce((sum, msat) => sum + msat, 0n)).toBe(0n)
        expect(ledger.check()).toEqual([])
      } finally {
        db.exec('ROLLBACK')
      }
    }),
    { numRuns: 200 },
  )
  // The sequences reached every answer that they can.
  expect([...seen].sort()).toEqual([
    'already_posted',
    'already_voided',
    'amount_not_positive',
    'balance_too_low',
    'id_reused',
    'pending_not_found',
    'pending_wrong_kind',
    'same_account',
    'settle applied',
    'settle duplicate',
    'transfer applied',
    'transfer duplicate',
  ])
})
