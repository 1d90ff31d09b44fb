import { Fragment } from 'preact'
import type { Result, ShownCheck } from './result.ts'

export function ResultView({ result }: { result: Result }) {
  const { tone, verdict, remarks, checks, facts, tookMs } = result
  return (
    <>
      <div class={`notice ${tone === 'open' ? '' : tone}`} role="status">
        <h2>{verdict}</h2>
        {remarks.map((remark) => (
          <p key={remark} class="small">
            {remark}
          </p>
        ))}
        <p class="small" data-took-ms={tookMs}>
          Checked in this browser in {Math.max(1, Math.round(tookMs))} ms.
        </p>
      </div>
      <section class="card">
        <h2>Step by step</h2>
        <ol class="checks">
          {checks.map((check) => (
            <Check key={`${check.name} ${check.title}`} check={check} />
          ))}
        </ol>
      </section>
      {facts.length > 0 && (
        <section class="card">
          <h2>What it says</h2>
          <dl class="facts-list">
            {facts.map(([name, value]) => (
              <Fragment key={name}>
                <dt>{name}</dt>
                <dd class="mono">{value}</dd>
              </Fragment>
            ))}
          </dl>
        </section>
      )}
    </>
  )
}

const LOOKS = {
  true: { look: 'passed', mark: '✓', word: 'passed' },
  false: { look: 'failed', mark: '✗', word: 'failed' },
  null: { look: 'open', mark: '–', word: 'not checked' },
} as const

function Check({ check: { name, title, meaning, ok, detail } }: { check: ShownCheck }) {
  const { look, mark, word } = LOOKS[`${ok}`]
  return (
    <li class={look} data-check={name} data-outcome={word}>
      <span class="mark" aria-hidden="true">
        {mark}
      </span>
      <div>
        <h3>
          {title} <span class="hidden">: {word}</span>
        </h3>
        <p class="small">{meaning}</p>
        <p class="detail">
          <span class="mono soft">{name}</span> {detail}
        </p>
      </div>
    </li>
  )
}
