import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { describe, expect, test } from 'vitest'
import { bashCompletion } from '../../../src/cli/completion/bash.ts'
import { fishCompletion } from '../../../src/cli/completion/fish.ts'
import { placesOf } from '../../../src/cli/completion/places.ts'
import { zshCompletion } from '../../../src/cli/completion/zsh.ts'
import { openProgram } from '../../../src/cli/program.ts'

const CLI = fileURLToPath(new URL('../../../src/cli/assay.js', import.meta.url))
const places = placesOf(await openProgram(null))

/** What bash would offer for the last word. */
function offered(...words: readonly string[]): string[] {
  const source =
    `${bashCompletion(places)}COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _assay\n` +
    `printf '%s\\n' "\${COMPREPLY[@]}"`
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', source, 'bash', 'assay', ...words], {
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout.split('\n').filter((line) => line !== '')
}

test.each([
  ['a command', ['pay'], ['payout']],
  ['the commands of a group', ['audit', ''], ['anchors', 'log', 'help']],
  ['a choice of an argument', ['completion', ''], ['bash', 'zsh', 'fish']],
  ['an option', ['demo', '--me'], ['--method']],
  ['an option that is not the first', ['demo', '--cheat', '--st'], ['--stay']],
  ['a choice of an option', ['demo', '--method', ''], ['dual', 'taproot']],
  [
    'an option after a value that is named like a command',
    ['payout', 'stop', '--reason', 'run', '--u'],
    ['--url'],
  ],
  ['what a group does by default', ['worker', '--prov'], ['--provider']],
  ['nothing, so a file name, where a file is wanted', ['up', '--config', ''], []],
  ['nothing where an argument may be anything', ['proof', 'verify', ''], []],
  ['nothing that help hides', ['worker', 'run', '--che'], []],
])('bash offers %s', (_what, words, expected) => {
  expect(offered(...words)).toEqual(expected)
})

test('a place offers its own options, each once', () => {
  const flags = new Map(places.map((place) => [place.path, place.flags.map(({ word }) => word)]))
  expect(flags.get('assay anchor now')).toEqual(['--config', '--url', '--json', '--help'])
  expect(flags.get('assay anchor')).toEqual(['--help'])
  expect(flags.get('assay worker')?.filter((word) => word === '--help')).toEqual(['--help'])
})

test('`assay completion` prints it', () => {
  const { status, stdout } = spawnSync(process.execPath, [CLI, 'completion', 'bash'], { encoding: 'utf8' })
  expect({ status, stdout }).toEqual({ status: 0, stdout: bashCompletion(places) })
})

test('a quote or a backslash in a description stays within it', () => {
  const odd = new Command('assay')
  odd
    .command('go')
    .description(`it's \\ odd`)
    .addOption(new Option('--how <way>', "it's").choices(['a', 'b']))
  expect(zshCompletion(placesOf(odd))).toContain(`candidates=('go:it'\\''s \\ odd' `)
  expect(fishCompletion(placesOf(odd))).toContain(`-f -a go -d 'it\\'s \\\\ odd'\n`)
  expect(fishCompletion(placesOf(odd))).toContain(
    `'__assay_at \\'assay go\\'' -l how -x -a 'a b' -d 'it\\'s'\n`,
  )
})

describe.each([
  ['bash', bashCompletion(places)],
  ['zsh', zshCompletion(places)],
  ['fish', fishCompletion(places)],
])('%s', (shell, script) => {
  const absent = spawnSync(shell, ['--version']).error !== undefined

  test.skipIf(absent)('finds no fault in its script', () => {
    const folder = mkdtempSync(join(tmpdir(), 'assay-completion-'))
    try {
      const file = join(folder, 'assay')
      writeFileSync(file, script)
      const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
