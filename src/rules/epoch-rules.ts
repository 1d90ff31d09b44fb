import type { EpochRules } from './epoch.ts'

/** As a genesis entry names it. */
interface GenesisEpoch extends Omit<EpochRules, 'epochBlocks'> {
  readonly blocks: number
  readonly auditRoundBlocks: number
  readonly suspensionBlocks: number
}

/** The calendar that a genesis fixes. */
export function epochRules({ epoch }: { epoch: GenesisEpoch }): EpochRules {
  const { blocks: epochBlocks, auditRoundBlocks: _, suspensionBlocks: __, ...rules } = epoch
  return { ...rules, epochBlocks }
}
