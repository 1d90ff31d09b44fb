import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openLedger } from '../../../src/ledger/ledger.ts'
import { temporaryDatabase } from './temporary-database.ts'

test('a process killed while posting leaves every committed batch, whole, and no part of another', async () => {
  const { db, path } = temporaryDatabase()
  const script = fileURLToPath(new URL('./post-until-killed.ts', import.meta.url))
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let committed = 0
  for await (const line of createInterface({ input: child.stdout })) {
    committed = Number(line)
    if (committed === 50) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  expect(committed).toBeGreaterThanOrEqual(50)

  const ledger = openLedger(db)
  const budgets = ledger.accounts('budget/').length
  expect(budgets === committed || budgets === committed + 1).toBe(true)
  const batches = BigInt(budgets)
  expect(ledger.balance('treasury').postedMsat).toBe(3n * batches)
  expect(ledger.balance('reserve')).toEqual({ postedMsat: batches, pendingMsat: batches, availableMsat: 0n })
  expect(ledger.check()).toEqual([])
})
