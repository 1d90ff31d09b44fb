import type { ModelProfile } from '../work/model-profile.ts'
import type { CoordinatorClient, CoordinatorInfo } from './coordinator-client.ts'

/** The profiles that the coordinator's models must run under. */
export interface Catalog {
  /** By the model's digest in hex; asks the coordinator again for one it has not seen. Throws CoordinatorError. */
  profile(digest: string): Promise<ModelProfile | null>
}

export function createCatalog(
  client: CoordinatorClient,
  known: CoordinatorInfo,
  signal: AbortSignal,
): Catalog {
  let profiles = index(known)
  return {
    async profile(digest) {
      // Leases name known models, so a miss means a new one, never a flood of questions.
      if (!profiles.has(digest)) profiles = index(await client.info(signal))
      return profiles.get(digest) ?? null
    },
  }
}

function index({ subnets }: CoordinatorInfo): Map<string, ModelProfile> {
  return new Map(subnets.flatMap(({ models }) => models.map(({ digest, profile }) => [digest, profile])))
}
