// Reads vitest's JSON reports. `files REPORT` prints the files that failed, a line each; `counts REPORT…`, given the first
// run's and that of its failed files again, names what failed and ends with the counts. Exit 1: no report, or a test failed twice.
import { readFileSync } from 'node:fs'
import { basename, relative } from 'node:path'

const [what, ...paths] = process.argv.slice(2)
const reports = new Map(
  paths.map((path) => [basename(path, '.json'), JSON.parse(readFileSync(path, 'utf8'))]),
)
const first = reports.get('report').testResults
const again = reports.get('again')?.testResults ?? []
const say = (line) => process.stdout.write(`${line}\n`)
const names = (results) => results.filter(({ status }) => status === 'failed').map(({ name }) => name)

if (what === 'files') {
  process.stdout.write(names(first).join('\n'))
} else {
  const last = [...first.filter(({ name }) => !again.some((file) => file.name === name)), ...again]
  const tests = last.flatMap((file) => file.assertionResults)
  const count = (status) => tests.filter((each) => each.status === status).length
  for (const file of first.filter(({ status }) => status === 'failed')) {
    const passed = again.some(({ name, status }) => name === file.name && status === 'passed')
    say(`${passed ? 'passed only by itself' : 'failed'}: ${relative('.', file.name)} ${file.message}`)
    for (const { status, fullName, failureMessages } of file.assertionResults) {
      if (status === 'failed') say(`  ${fullName}\n    ${failureMessages.join('\n    ').slice(0, 2_000)}`)
    }
  }
  // A file that could not even be loaded has no failed test of its own, but has failed.
  const failed = Math.max(count('failed'), names(last).length)
  say(`${count('passed')} passed, ${failed} failed`)
  process.exitCode = failed > 0 ? 1 : 0
}
