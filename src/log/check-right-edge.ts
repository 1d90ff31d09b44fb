import { LogError } from './log-error.ts'
import type { LogRows } from './log-rows.ts'
import { leafHash, nodeHash } from './rfc6962.ts'
import { storedHashCount } from './stored-hash-index.ts'

/**
 * Checks what the next append and the next root build on: that there are as many hashes as the entries ask for, and
 * that the roots of the complete subtrees (one for each one bit of the size, under 64) follow from what they are
 * made of. Cheap at any size, so done at each opening; an audit recomputes the rest.
 *
 * @throws LogError `log_corrupt`
 */
export function checkRightEdge(rows: LogRows): void {
  const size = rows.size()
  if (rows.hashCount() !== storedHashCount(size)) {
    throw new LogError('log_corrupt', `${rows.hashCount()} hashes stored for ${size} entries`)
  }
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / 2)) {
    if (count % 2 === 0) continue
    const n = count - 1
    const expected =
      level === 0
        ? leafHash(rows.entry(n))
        : nodeHash(rows.node(level - 1, 2 * n), rows.node(level - 1, 2 * n + 1))
    if (Buffer.compare(rows.node(level, n), expected) !== 0) {
      throw new LogError('log_corrupt', `stored hash ${n} of level ${level} does not follow from the log`)
    }
  }
}
