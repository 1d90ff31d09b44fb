import type { ComponentChildren } from 'preact'
import type { Answer } from '../use-answer.ts'

interface AnsweredProps<T> {
  readonly answer: Answer<T>
  readonly children: (value: T) => ComponentChildren
}

/** What to do about an answer that doesn't come. */
const ADVICE: Readonly<Record<string, string>> = {
  not_open: 'The log opens when its first seal is funded; the overview shows the address.',
  unreachable: 'Is it running? This page asks again by itself.',
  unreadable: 'Page and coordinator are of different versions: reload the page.',
}

/** The value of an answer, or why it isn't there and what to do. A value that can't be refreshed stays, marked as old. */
export function Answered<T>({ answer: { value, error }, children }: AnsweredProps<T>) {
  return (
    <>
      {error !== null && (
        <div class="notice bad" role="alert">
          <p>
            {sentence(error.message)} {ADVICE[error.code] ?? 'This page asks again by itself.'}
            {value !== null && ' What is shown below is the last that came.'}
          </p>
        </div>
      )}
      {value !== null ? children(value) : error === null && <p class="soft">Asking the coordinator …</p>}
    </>
  )
}

/** Problems are told as clauses (PROTOCOL §6); others as sentences. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`
}
