import type { ReadStatus } from '../../client/status-answer.ts'

/** About a day: what an operator needs to send more fee money and see it confirmed. */
const SHORT_RUNWAY_BLOCKS = 144

interface Alarm {
  readonly title: string
  readonly text: string
  readonly isGrave: boolean
}

/** Whatever stands in the way, each with its reason and what is to be done. */
export function Alarms({ status }: { status: ReadStatus }) {
  const alarms = alarmsOf(status)
  if (alarms.length === 0) return null
  return (
    <section aria-label="Alarms" class="pager">
      {alarms.map(({ title, text, isGrave }) => (
        <div key={title} class={`notice ${isGrave ? 'bad' : ''}`} role="alert">
          <h2>{title}</h2>
          <p>{text}</p>
        </div>
      ))}
    </section>
  )
}

function alarmsOf({ error, open, witnesses }: ReadStatus): Alarm[] {
  const alarms: Alarm[] = []
  if (error !== null) {
    alarms.push({
      title: 'The last round failed',
      text: `${error} It is tried again by itself.`,
      isGrave: true,
    })
  }
  for (const { witness, alarm } of witnesses) {
    if (alarm === null) continue
    alarms.push({
      title: `The witness ${witness} has seen another log`,
      text: 'It knows a head that this log does not lead to: an old copy runs here, the log has forked, or the witness lies.',
      isGrave: true,
    })
  }
  if (open === null) return alarms
  const { data, frozen, halted, stalled, payoutTrouble, payoutsStopped, runwayBlocks } = open
  for (const { model, entry } of frozen) {
    alarms.push({
      title: `The model ${model} is frozen`,
      text: `Unrelated workers fail on it together (entry ${entry}): nothing of it matures until the operator says why.`,
      isGrave: false,
    })
  }
  if (halted !== null) alarms.push({ title: 'The log stands still', text: halted, isGrave: true })
  if (stalled !== null) {
    alarms.push({ title: 'Anchors are stalled', text: `${stalled.detail}. ${stalled.advice}`, isGrave: true })
  }
  if (data.isSpaceShort) {
    alarms.push({
      title: 'The disk is almost full',
      text: 'No work is given out until there is room for its outputs.',
      isGrave: true,
    })
  }
  if (payoutTrouble !== null) alarms.push({ title: 'A payout waits', text: payoutTrouble, isGrave: false })
  if (payoutsStopped !== null) {
    alarms.push({ title: 'The operator has stopped payouts', text: payoutsStopped.reason, isGrave: false })
  }
  if (runwayBlocks !== null && runwayBlocks < SHORT_RUNWAY_BLOCKS) {
    alarms.push({
      title: 'Fee money runs out',
      text: `The seal pays for anchors for ${runwayBlocks} more blocks at the latest fee. Send more to the anchor address.`,
      isGrave: false,
    })
  }
  return alarms
}
