import type { VersionPolicy } from './model-config.ts'
import { RepositoryError } from './repository-error.ts'

/**
 * The one version that `policy` chooses of those that are there: a subnet serves one file under a name. Throws RepositoryError:
 * `repository_version_missing`, `repository_versions_several`.
 */
export function versionToServe(present: readonly number[], policy: VersionPolicy, where: string): number {
  const chosen = chosenBy(policy, present)
  const missing = chosen.find((version) => !present.includes(version))
  if (missing !== undefined || chosen.length === 0) {
    const wanted = missing === undefined ? 'no version' : `no version ${missing}`
    throw new RepositoryError(
      'repository_version_missing',
      `${where}: ${wanted}; there are ${list(present) || 'none'}`,
    )
  }
  const [version, ...others] = chosen
  if (version === undefined || others.length > 0) {
    throw new RepositoryError(
      'repository_versions_several',
      `${where}: version_policy serves ${list(chosen)}; a subnet serves one version, such as by specific { versions: [${chosen.at(-1)}] }`,
    )
  }
  return version
}

function chosenBy(policy: VersionPolicy, present: readonly number[]): number[] {
  const ascending = present.toSorted((a, b) => a - b)
  if (policy === 'all') return ascending
  if ('specific' in policy) return [...new Set(policy.specific)].sort((a, b) => a - b)
  return ascending.slice(-policy.latest)
}

function list(versions: readonly number[]): string {
  return versions.join(', ')
}
