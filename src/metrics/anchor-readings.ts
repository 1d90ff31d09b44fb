import type { AnchorRecord } from '../../anchor/anchor-record.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { haltOf } from '../coordinator/halt.ts'
import { type Reading, reading, readingBy } from './reading.ts'

/** Where an anchor that isn't final may stand. */
const OPEN_STATES = ['planned', 'signed', 'broadcast', 'stalled', 'mined'] as const

/** Anchors, their seal, and what of the log they cover. Final ones stay final, so that a scrape reads the others alone. */
export function createAnchorReadings(coordinator: Coordinator): () => Reading[] {
  let finals = 0

  /** The last final anchor, if there is one, and all after it. */
  function lastAnchors(): AnchorRecord[] {
    const anchors = coordinator.house()?.anchorer.anchors(Math.max(0, finals - 1)) ?? []
    finals = (anchors.findLast(({ state }) => state === 'final')?.index ?? finals - 1) + 1
    return anchors
  }

  return () => {
    const anchors = lastAnchors()
    const state = coordinator.house()?.anchorer.state() ?? null
    const last = anchors.findLast(({ height }) => height !== null) ?? null
    const entries = coordinator.books.log.size()
    const height = coordinator.advancedTo()
    const ageBlocks = last === null || last.height === null || height === null ? null : height - last.height
    const counts = OPEN_STATES.map(
      (open) => [open, anchors.filter((one) => one.state === open).length] as const,
    )
    const stalled = state === null || state.stalled === null ? [] : ([[state.stalled.code, 1]] as const)
    return [
      reading('assay_log_entries', 'Entries in the log.', entries),
      reading(
        'assay_log_entries_unanchored',
        'Entries that no mined anchor covers yet.',
        entries - (last?.size ?? 0),
      ),
      readingBy('assay_anchors', 'Anchors by where they stand.', 'state', [['final', finals], ...counts]),
      reading('assay_anchor_age_blocks', 'Blocks since the last anchor was mined.', ageBlocks),
      reading(
        'assay_anchor_in_flight',
        '1 while an anchor waits to be mined.',
        state && state.inFlight !== null,
      ),
      readingBy('assay_anchor_stalled', '1 by the reason why no anchor goes forward now.', 'code', stalled),
      reading(
        'assay_halted',
        '1 while the log takes nothing more, because this database may not be its newest.',
        state && haltOf(state) !== null,
      ),
      reading(
        'assay_seal_satoshis',
        'What the last seal in the chain holds, for fees.',
        state?.sealSats ?? null,
      ),
      reading(
        'assay_runway_blocks',
        "Blocks until the seal is used up at the latest anchor's fee.",
        state?.runwayBlocks ?? null,
      ),
      reading(
        'assay_anchor_fees_today_satoshis',
        'Fees of the anchors of the last 144 blocks.',
        state?.feesTodaySats ?? null,
      ),
      reading(
        'assay_anchor_fees_day_cap_satoshis',
        'Most that the anchors of 144 blocks may cost.',
        coordinator.config.anchor.dayCapSats,
      ),
    ]
  }
}
