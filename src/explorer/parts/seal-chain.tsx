import type { Anchor } from '../../api/answers.ts'
import { formatCount } from '../format.ts'

/** As many as stand in one line of a wide screen. */
const SHOWN = 20

/** The newest anchors as what they are: a chain in which each spends the one before. */
export function SealChain({ anchors }: { anchors: readonly Anchor[] }) {
  if (anchors.length === 0) {
    return <p class="soft">The first anchor will stand here as soon as the log’s head is sent to Bitcoin.</p>
  }
  const shown = anchors.slice(0, SHOWN).reverse()
  const final = anchors.find(({ state }) => state === 'final')
  return (
    <>
      <ol class="chain" aria-label="The newest anchors">
        {shown.map(({ index, state, height, size }) => {
          const at = height === null ? '' : ` in block ${formatCount(height)}`
          const text = `Anchor ${index}, ${state}${at}, over ${formatCount(size)} entries`
          const look = state === 'final' || state === 'stalled' ? state : state === 'mined' ? '' : 'pending'
          return (
            <li key={index}>
              <a class={`seal ${look}`} href="#/anchors" title={text} aria-label={text}>
                {index}
              </a>
            </li>
          )
        })}
      </ol>
      <p class="soft small">
        {final === undefined
          ? 'None is final yet.'
          : `Final up to anchor ${final.index}: the first ${formatCount(final.size)} entries can’t be changed any more.`}{' '}
        Filled: final. Outlined: mined. Dashed: on its way.
      </p>
    </>
  )
}
