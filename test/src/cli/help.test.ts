import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { openProgram } from '../../../src/cli/program.ts'

/** Commands without `--json`, and why. */
const WITHOUT_JSON: Readonly<Record<string, string>> = {
  'assay up': 'runs until it is stopped; its log is JSON',
  'assay worker run': 'runs until it is stopped; its log is JSON',
  'assay completion': 'prints a script for a shell',
}

interface Leaf {
  readonly path: string
  readonly command: Command
}

function leavesOf(command: Command, path: string): Leaf[] {
  if (command.commands.length === 0) return [{ path, command }]
  return command.commands.flatMap((one) => leavesOf(one, `${path} ${one.name()}`))
}

function helpOf(command: Command): string {
  let text = ''
  command
    .configureOutput({
      writeOut: (more) => {
        text += more
      },
    })
    .outputHelp()
  return text
}

function examplesOf(command: Command): string[] {
  const [, ...examples] = helpOf(command).split(/\nExamples?:\n/)
  return examples.flatMap((lines) => lines.trim().split(/\n */))
}

/** Words as a shell splits them; what stands in quotes is one. */
const wordsOf = (line: string) => line.match(/"[^"]*"|\S+/g) ?? []

const leaves = leavesOf(await openProgram(null), 'assay')

describe.each(leaves)('$path', ({ path, command }) => {
  test('says what it does, and takes --json where it gives a result', () => {
    expect(command.description()).not.toBe('')
    expect(command.options.some(({ long }) => long === '--json')).toBe(!(path in WITHOUT_JSON))
  })

  test('shows an example that it would take', () => {
    // What a group does by default is called by the group's name.
    const name = path === 'assay worker run' ? 'assay worker' : path
    const examples = examplesOf(command)
    expect(examples.length).toBeGreaterThan(0)
    for (const line of examples) {
      expect(line).toMatch(new RegExp(`^${name}( |$)`))
      const words = wordsOf(line.slice(name.length).replace(/ > .*/, ''))
      const { operands, unknown } = command.parseOptions(words)
      expect(unknown, line).toEqual([])
      const required = command.registeredArguments.filter((argument) => argument.required)
      expect(operands.length, line).toBeGreaterThanOrEqual(required.length)
      expect(operands.length, line).toBeLessThanOrEqual(command.registeredArguments.length)
      const mandatory = command.options.filter((option) => option.mandatory).map(({ long }) => long)
      expect(words, line).toEqual(expect.arrayContaining(mandatory))
    }
  })
})

test('every command without --json is one', () => {
  expect(Object.keys(WITHOUT_JSON).filter((path) => !leaves.some((leaf) => leaf.path === path))).toEqual([])
})
