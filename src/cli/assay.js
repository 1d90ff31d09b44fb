#!/usr/bin/env node
// Plain JavaScript, so that a Node too old for the rest can still read it and say so: below 22.18 TypeScript does not run as
// it is, and better-sqlite3 crashes with a segmentation fault.
import { existsSync } from 'node:fs'
import module from 'node:module'
import { isAbsolute, join } from 'node:path'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `assay needs Node 22.18 or newer; this is ${process.version}. In a checkout, use \`npm run assay -- …\`.`,
  )
  process.exit(3)
}
// What V8 made of the sources is kept for the next start, which then takes half as long. In the user's own folder, never in a shared
// /tmp nor below wherever one happens to stand: what lies there is run. Where it can't be written, each start compiles anew, and
// nothing is said.
const cache = process.env.XDG_CACHE_HOME || join(process.env.HOME || '', '.cache')
if (isAbsolute(cache)) module.enableCompileCache?.(join(cache, 'assay', 'compiled'))

// Who reads no further, as `head`, has enough: the end that SIGPIPE makes of other programs, by the number that a shell gives it.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(128 + 13)
  })
}

// A checkout runs its sources; the published package holds what `npm run build` made of them.
const source = new URL('./main.ts', import.meta.url)
const built = new URL('../../dist/src/cli/main.js', import.meta.url)
const { main } = await import((existsSync(source) ? source : built).href)
process.exitCode = await main(process.argv.slice(2))
