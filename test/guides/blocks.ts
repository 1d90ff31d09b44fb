import { documentAt } from '../docs/documents.ts'

/** Why a block isn't run here, by how it is marked in the text. */
export type Mark = 'run' | 'terminal' | 'elsewhere'

export interface Block {
  readonly mark: Mark
  readonly text: string
}

/** The fenced blocks of a language in a document, in their order; the mark is the word after the language. */
export function blocksOf(path: string, language: string): Block[] {
  const blocks = documentAt(path).matchAll(new RegExp(`^\`\`\`${language}( \\w+)?\\n(.*?)^\`\`\`$`, 'gms'))
  return [...blocks].map(([, mark = ' run', text = '']) => ({ mark: markOf(mark.trim(), path), text }))
}

function markOf(word: string, path: string): Mark {
  if (word === 'run' || word === 'terminal' || word === 'elsewhere') return word
  throw new Error(`${path}: a block is marked ${word}`)
}
