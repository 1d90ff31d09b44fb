import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DOCUMENTS, inlineCode, linesOfBlocks, ROOT } from './documents.ts'

const CLI = join(ROOT, 'src/cli/assay.js')

interface Help {
  readonly subcommands: readonly string[]
  readonly options: readonly string[]
  readonly text: string
}

const helps = new Map<string, Help>()

/** What the real program says of a command; one process for each. */
function helpOf(command: readonly string[]): Help {
  const name = command.join(' ')
  const known = helps.get(name)
  if (known !== undefined) return known
  const text = execFileSync(process.execPath, [CLI, ...command, '--help'], { encoding: 'utf8' })
  const [, commands = ''] = text.split(/^Commands:$/m)
  const help = {
    text,
    subcommands: [...commands.matchAll(/^ {2}([a-z]\S*)/gm)].map(([, subcommand = '']) => subcommand),
    options: [...text.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option = '']) => option),
  }
  helps.set(name, help)
  return help
}

/** Commands in code, from `assay` on, up to a comment or another command. */
function commandLines(text: string): string[] {
  return [...linesOfBlocks(text, 'sh'), ...inlineCode(text)]
    .filter((line) => /^assay( |$)/.test(line))
    .map((line) => line.replace(/ +#.*$/, ''))
}

function expectParses(line: string): void {
  const words = line.match(/"[^"]*"|\S+/g)?.slice(1) ?? []
  const command: string[] = []
  while (helpOf(command).subcommands.includes(words[0] ?? '')) command.push(words.shift() ?? '')
  const { subcommands, options, text } = helpOf(command)
  const [, usage = ''] = /^Usage: (.*)$/m.exec(text) ?? []
  const [first = '--'] = words
  // A group alone, or a word that it doesn't know, is no command; a command's own words are its arguments.
  if (!first.startsWith('--')) expect(subcommands, line).toEqual([])
  expect(usage.includes('<') || first.startsWith('--'), `${line}: ${usage}`).toBe(true)
  for (const word of words.filter((one) => one.startsWith('--'))) expect(options, line).toContain(word)
}

test.each(DOCUMENTS.flatMap(({ path, text }) => commandLines(text).map((line) => ({ path, line }))))(
  '$path: `$line` is a command that this program has',
  ({ line }) => expectParses(line),
)

test('a command that the program does not have is noticed', () => {
  for (const line of [
    'assay pay',
    'assay proof forge x',
    'assay proof --out x',
    'assay up --confg x',
    'assay demo now',
  ]) {
    expect(() => expectParses(line), line).toThrow()
  }
})

test.each(DOCUMENTS)('$path: every npm script that it names exists', ({ text }) => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  for (const [, script = ''] of text.matchAll(/npm run (?:-s )?([a-z]+)/g)) {
    expect(Object.keys(scripts)).toContain(script)
  }
})
