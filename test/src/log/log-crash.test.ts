import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { verifyCheckpoint } from '../../../src/log/checkpoint.ts'
import { parseVerifierKey } from '../../../src/log/note-key.ts'
import { treeHash } from '../../../src/log/rfc6962.ts'
import { memoryTree } from './memory-tree.ts'
import { numberedEntries, openTemporaryLog, temporaryPath } from './temporary-log.ts'

test.each([1, 20, 200])(
  'killed after %i checkpoints, the log holds all that it signed and nothing torn',
  async (kill) => {
    const path = temporaryPath()
    const child = spawn(process.execPath, [join(import.meta.dirname, 'append-until-killed.ts'), path])
    const signed: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      signed.push(JSON.parse(line))
      if (signed.length === kill) child.kill('SIGKILL')
    }
    expect(signed.length).toBeGreaterThanOrEqual(kill)

    const { log } = openTemporaryLog(path)
    const entries = [...log.entries(0, log.size())]
    expect(entries).toEqual(numberedEntries(log.size()))
    expect(log.root()).toEqual(treeHash(log.size(), memoryTree(entries).readNode))
    for (const note of signed) {
      const { size, root } = verifyCheckpoint(note, parseVerifierKey(log.verifierKey))
      expect(log.root(size)).toEqual(root)
    }
  },
)
