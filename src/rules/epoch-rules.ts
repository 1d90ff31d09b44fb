import type { EntryOf } from '../log/entry.ts'
import type { EpochRules } from './epoch.ts'

/** The calendar that a genesis fixes. */
export function epochRules({ epoch }: Pick<EntryOf<'genesis'>, 'epoch'>): EpochRules {
  const { blocks: epochBlocks, auditRoundBlocks: _, suspensionBlocks: __, ...rules } = epoch
  return { ...rules, epochBlocks }
}
