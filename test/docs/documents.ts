import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Document {
  /** From the repository's root. */
  readonly path: string
  readonly text: string
}

/** Everything that is written for readers of the repository. */
export const DOCUMENTS: readonly Document[] = ['README.md', 'CHANGELOG.md', 'docs/**/*.md']
  .flatMap((pattern) => globSync(pattern, { cwd: ROOT }))
  .sort()
  .map((path) => ({ path, text: readFileSync(`${ROOT}/${path}`, 'utf8') }))

export function documentAt(path: string): string {
  const found = DOCUMENTS.find((document) => document.path === path)
  if (found === undefined) throw new Error(`no document ${path}`)
  return found.text
}

/** The lines of all fenced blocks of a language, however marked, those that end in a backslash joined with the next. */
export function linesOfBlocks(text: string, language: string): string[] {
  const blocks = text.matchAll(new RegExp(`^\`\`\`${language}(?: \\w+)?\\n(.*?)^\`\`\`$`, 'gms'))
  return [...blocks].flatMap(([, block = '']) => block.replaceAll(/\\\n\s*/g, ' ').split('\n'))
}

/** What stands between single backticks on one line, fenced blocks left out. */
export function inlineCode(text: string): string[] {
  const prose = text.replaceAll(/^```.*?^```$/gms, '')
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
}

/** The cells of each row of every table, header and rule left in. */
export function tableRows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

/** From a heading to the next one of any level. */
export function sectionOf(text: string, heading: string): string {
  const [, rest] = text.split(`${heading}\n`)
  if (rest === undefined) throw new Error(`no heading ${heading}`)
  return rest.split(/^#+ /m)[0] ?? ''
}
