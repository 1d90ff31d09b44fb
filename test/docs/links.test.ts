import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { DOCUMENTS, inlineCode, ROOT } from './documents.ts'

const EXTERNAL = /^[a-z]+:/
/** A file or folder of this repository, named in running text. */
const OWN_PATH = /^(src|anchor|compute|regtest|test|docs|bench)\/[\w./-]*$/

test.each(DOCUMENTS)(
  '$path: every relative link leads to a file, and to a heading that is there',
  ({ path, text }) => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (EXTERNAL.test(target)) continue
      const [file = '', heading] = target.split('#')
      const linked = file === '' ? path : join(dirname(path), file)
      expect(existsSync(join(ROOT, linked)), `${path} links to ${target}`).toBe(true)
      if (heading === undefined) continue
      const document = DOCUMENTS.find((one) => one.path === linked)
      expect(headingsOf(document?.text ?? ''), `${path} links to ${target}`).toContain(heading)
    }
  },
)

test.each(DOCUMENTS)('$path: every path of the repository that it names exists', ({ path, text }) => {
  for (const code of inlineCode(text)) {
    if (OWN_PATH.test(code)) expect(existsSync(join(ROOT, code)), `${path} names ${code}`).toBe(true)
  }
})

/** As GitHub makes anchors: lower case, punctuation gone, spaces to hyphens. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
