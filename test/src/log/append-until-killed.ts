// Appends entries to the log in the database named by the first argument, some in each transaction, and writes each
// checkpoint as one line of JSON to stdout once it is signed; for ever.
import { writeSync } from 'node:fs'
import { openLog } from '../../../src/log/log-store.ts'
import { openDatabase } from '../../../src/store/open-database.ts'
import { ORIGIN, SEED } from './log-identity.ts'

const STDOUT = 1
const [path = ''] = process.argv.slice(2)
const db = openDatabase(path)
const log = openLog({ db, origin: ORIGIN, seed: SEED })
const append = db.transaction((count: number) => {
  for (let i = 0; i < count; i += 1) log.append(Buffer.from(`entry ${log.size()}`))
})
for (let count = 1; ; count = (count % 7) + 1) {
  append.immediate(count)
  writeSync(STDOUT, `${JSON.stringify(log.checkpoint())}\n`)
}
