import { type Finding, fail, ok } from './finding.ts'

/** The first that runs TypeScript as it is; better-sqlite3 crashes below 22 (package.json, engines). */
const LEAST = { major: 22, minor: 18 }

/** `version`: as process.versions.node has it. */
export function checkNodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isNewEnough = major > LEAST.major || (major === LEAST.major && minor >= LEAST.minor)
  return isNewEnough
    ? ok('node', `Node ${version}`)
    : fail('node', `Node ${version}`, `Install Node ${LEAST.major}.${LEAST.minor} or newer.`)
}
