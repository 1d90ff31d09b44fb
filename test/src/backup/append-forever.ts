/** A process that appends to the log in a database without a pause, and says so once it does: `node append-forever.ts DATABASE`. */
import { openLog } from '../../../src/log/log-store.ts'
import { openDatabase } from '../../../src/store/open-database.ts'

const db = openDatabase(process.argv[2] ?? '')
const log = openLog({ db, origin: 'test.assay.example/log', seed: new Uint8Array(32).fill(1) })
const append = db.transaction((text: string) => log.append(Buffer.from(text)))
for (let n = 0; ; n += 1) {
  append.immediate(`entry ${n}`)
  if (n === 0) process.stdout.write('appending\n')
}
