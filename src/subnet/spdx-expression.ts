import { z } from 'zod'

const MAX_CHARACTERS = 64

const LICENSE =
  /^(?:(?!LicenseRef-|DocumentRef-)[A-Za-z0-9.-]+\+?|(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+)$/
const EXCEPTION = /^[A-Za-z0-9.-]+$/
/** Neither a licence nor an exception; the last two say of a file that nobody says what its licence is. */
const WORDS = new Set(['AND', 'OR', 'WITH', 'NONE', 'NOASSERTION'])

/** A licence by SPDX 2.3, annex D. Its identifiers are not looked up: the list of licences grows faster than programs are renewed. */
export const spdxExpression = z
  .string()
  .max(MAX_CHARACTERS)
  .refine(isExpression, 'expected an SPDX expression, such as "Apache-2.0" or "MIT OR LicenseRef-ours"')

function isExpression(text: string): boolean {
  const tokens = text.match(/[()]|[^ ()]+/g) ?? []
  let at = 0

  function takes(isWanted: (token: string) => boolean): boolean {
    const token = tokens[at]
    if (token === undefined || !isWanted(token)) return false
    at += 1
    return true
  }

  const word = (wanted: string) => takes((token) => token === wanted)
  const named = (pattern: RegExp) => takes((token) => pattern.test(token) && !WORDS.has(token))

  function compound(): boolean {
    do {
      if (!term()) return false
    } while (word('AND') || word('OR'))
    return true
  }

  function term(): boolean {
    if (word('(')) return compound() && word(')')
    return named(LICENSE) && (!word('WITH') || named(EXCEPTION))
  }

  return compound() && at === tokens.length
}
