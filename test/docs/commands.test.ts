import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openProgram } from '../../src/cli/program.ts'
import { DOCUMENTS, inlineCode, linesOfBlocks, ROOT } from './documents.ts'

const program = await openProgram(null)

/** Commands in code, from `assay` on, up to a comment or another command. */
function commandLines(text: string): string[] {
  return [...linesOfBlocks(text, 'sh'), ...inlineCode(text)]
    .filter((line) => /^assay( |$)/.test(line))
    .map((line) => line.replace(/ +#.*$/, ''))
}

function expectParses(line: string): void {
  const words = line.match(/"[^"]*"|\S+/g)?.slice(1) ?? []
  let command = program
  for (;;) {
    const named = command.commands.find((one) => one.name() === words[0])
    if (named !== undefined) words.shift()
    // What a group does by default is called by the group's name.
    const next =
      named ?? (command.name() === 'worker' && command.commands.find((one) => one.name() === 'run'))
    if (!next) break
    command = next
  }
  const [first = '--'] = words
  // A group alone, or a word that it doesn't know, is no command; a command's own words are its arguments.
  if (!first.startsWith('--')) expect(command.commands, line).toEqual([])
  const usage = command.usage()
  expect(usage.includes('<') || first.startsWith('--'), `${line}: ${usage}`).toBe(true)
  const options = command.createHelp().visibleOptions(command)
  for (const word of words.filter((one) => one.startsWith('--'))) {
    expect(
      options.map(({ long }) => long),
      line,
    ).toContain(word)
  }
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
    'assay worker --confg x',
    'assay payout --config x',
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
