import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { beforeAll, expect, test } from 'vitest'
import { startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { addUp } from '../../../src/cli/commands/up.ts'
import { addWorker } from '../../../src/cli/commands/worker.ts'
import { openSite } from '../coordinator/site.ts'
import { type Scrape, scrape } from './scrape.ts'

const FOLDER = new URL('../../../docs/operations/', import.meta.url)

function read(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8')
}

let page: Scrape
beforeAll(async () => {
  await using node = await startBitcoind()
  await using site = await openSite(node)
  page = await scrape(site.coordinator())
})

const FILES = ['prometheus-rules.yml', 'grafana-dashboard.json']

for (const file of FILES) {
  test(`every metric in ${file} is one that the coordinator has`, () => {
    const named = new Set(read(file).match(/\b(assay|process|nodejs|nv)_[a-z0-9_]+/g))
    expect(named.size).toBeGreaterThan(15)
    expect([...named].filter((name) => !page.names.has(name))).toEqual([])
  })

  test(`every state, epoch, kind, standing and figure in ${file} is a label's value`, () => {
    const known = new Set([...page.samples.keys()].flatMap((series) => series.match(/\w+="[^"]*"/g) ?? []))
    const selectors =
      read(file)
        .replaceAll('\\"', '"')
        .match(/\b(state|epoch|kind|standing|figure)(=~|!=|=)"[^"]*"/g) ?? []
    expect(selectors.length).toBeGreaterThan(1)
    for (const selector of selectors) {
      const [, label = '', values = ''] = /^(\w+)[=!~]+"(.*)"$/.exec(selector) ?? []
      for (const value of values.split('|')) expect(known, selector).toContain(`${label}="${value}"`)
    }
  })
}

test('every alert has a severity, and says what is wrong and what to do', () => {
  const alerts = read('prometheus-rules.yml').split('- alert: ').slice(1)
  expect(alerts.length).toBeGreaterThan(15)
  for (const alert of alerts) {
    expect(alert).toMatch(/severity: (critical|warning|info)/)
    expect(alert).toMatch(/summary: \S/)
    expect(alert).toMatch(/description: \S/)
  }
})

/** Prometheus' own checker has no npm package; it comes with Debian's `prometheus`. */
const promtool = 'promtool'
const { error: noPromtool } = spawnSync(promtool, ['--version'])

test.skipIf(noPromtool !== undefined)('promtool takes the rules', () => {
  const { status, stdout, stderr } = spawnSync(
    promtool,
    ['check', 'rules', fileURLToPath(new URL('prometheus-rules.yml', FOLDER))],
    { encoding: 'utf8' },
  )
  expect(status, `${stdout}${stderr}`).toBe(0)
})

test('no two panels of the dashboard share an id or a place', () => {
  const { panels } = JSON.parse(read('grafana-dashboard.json'))
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }: { gridPos: Record<string, number> }) =>
    Array.from({ length: (w ?? 0) * (h ?? 0) }, (_, at) => {
      return `${(x ?? 0) + (at % (w ?? 1))},${(y ?? 0) + Math.floor(at / (w ?? 1))}`
    }),
  )
  expect(new Set(cells).size).toBe(cells.length)
  expect(new Set(panels.map(({ id }: { id: number }) => id)).size).toBe(panels.length)
})

const UNITS = [
  ['assay-coordinator.service', 'up', addUp],
  ['assay-worker.service', 'worker', addWorker],
] as const

for (const [file, name, add] of UNITS) {
  test(`${file} starts \`assay ${name}\` with options that it has`, () => {
    const [, args = ''] = /^ExecStart=\S+ \S+assay\.js (.*)$/m.exec(read(file)) ?? []
    const [command, ...rest] = args.split(' ')
    expect(command).toBe(name)
    const program = new Command()
    add(program)
    // A group's own, or those of its default command.
    const [group] = program.commands
    const options = [group, ...(group?.commands ?? [])].flatMap((one) => one?.options.map(({ long }) => long))
    const given = rest.filter((word) => word.startsWith('--'))
    expect(given.length).toBeGreaterThan(1)
    for (const option of given) expect(options).toContain(option)
  })
}
