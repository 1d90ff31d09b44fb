import { useEffect, useState } from 'preact/hooks'
import { Drop, type GivenFile } from './drop.tsx'
import type { Result } from './result.ts'
import { ResultView } from './result-view.tsx'
import { type SourceChoice, SourceFields, sourceOf } from './source-choice.tsx'

const NO_PINS = { logKey: '', internalKey: '' }

/** Drop a file, see every check. Only headers are ever asked for, and only from where the reader says. */
export function Verify() {
  const [file, setFile] = useState<GivenFile | null>(null)
  const [stamped, setStamped] = useState<GivenFile | null>(null)
  const [choice, setChoice] = useState<SourceChoice>({
    kind: 'server',
    file: null,
    network: 'mainnet',
    url: '',
  })
  const [pins, setPins] = useState(NO_PINS)
  const [result, setResult] = useState<Result | null>(null)
  const [problem, setProblem] = useState<string | null>(null)

  function take(given: GivenFile): void {
    setFile(given)
    setResult(null)
    setProblem(null)
  }

  useEffect(() => {
    linkedProof().then(
      (given) => given !== null && take(given),
      (error: Error) => setProblem(error.message),
    )
  }, [])

  useEffect(() => {
    const source = sourceOf(choice)
    if (file === null || source === null) return
    let isGone = false
    setProblem(null)
    // The checks' code comes with the first file: what is only read here needs none of it.
    import('./check-file.ts')
      .then(({ checkFile }) => checkFile(file.bytes, stamped?.bytes ?? null, source, pins))
      .then(
        (checked) => !isGone && setResult(checked),
        (error: unknown) => {
          if (isGone) return
          setResult(null)
          setProblem(error instanceof Error ? error.message : String(error))
        },
      )
    return () => {
      isGone = true
    }
  }, [file, stamped, choice, pins])

  const isOts = file?.name.endsWith('.ots') === true
  return (
    <>
      <div class="head">
        <h1>Verify a proof</h1>
        <p class="soft">
          A proof leads from one receipt to a Bitcoin block header. It is checked here, in your browser, by
          the same code as <code>assay proof verify</code>: the file does not leave this machine, and nobody’s
          word is taken for it.
        </p>
      </div>
      <div class="verify">
        <div>
          <Drop
            label="Drop a proof here"
            hint=".assay, as downloaded from a log, or .ots for OpenTimestamps"
            file={file}
            onFile={take}
            onProblem={setProblem}
          />
          {isOts && (
            <Drop
              label="Drop the file that it stamps"
              hint="beside the .ots file; without it only its hash is known"
              file={stamped}
              onFile={setStamped}
              onProblem={setProblem}
            />
          )}
        </div>
        <div>
          <div aria-live="polite" class="messages">
            {problem !== null && (
              <div class="notice bad" role="alert">
                <p>{problem}</p>
              </div>
            )}
            {file !== null && result === null && problem === null && (
              <p class="soft">
                {sourceOf(choice) === null ? 'Waiting for the headers that you chose.' : 'Checking …'}
              </p>
            )}
          </div>
          {result !== null && <ResultView result={result} />}
        </div>
        <div>
          <section class="card">
            <SourceFields choice={choice} onChoice={setChoice} onProblem={setProblem} />
          </section>
          <section class="card">
            <fieldset>
              <legend>Whose log should it be?</legend>
              <p class="soft small">
                If you know these from elsewhere, the proof has to be of that log. Left empty, the keys in the
                proof are taken.
              </p>
              <label class="field">
                <span class="small">Log key (C2SP verifier key)</span>
                <input
                  class="mono"
                  spellcheck={false}
                  value={pins.logKey}
                  onChange={({ currentTarget }) => setPins({ ...pins, logKey: currentTarget.value.trim() })}
                />
              </label>
              <label class="field">
                <span class="small">Internal key of the seals (64 hex digits)</span>
                <input
                  class="mono"
                  spellcheck={false}
                  value={pins.internalKey}
                  onChange={({ currentTarget }) =>
                    setPins({ ...pins, internalKey: currentTarget.value.trim() })
                  }
                />
              </label>
            </fieldset>
          </section>
        </div>
      </div>
    </>
  )
}

/** The proof of `#receipt=<id>`, as the explorer links to it; null without. Throws Error with a text for the reader. */
async function linkedProof(): Promise<GivenFile | null> {
  const [, id] = /^#receipt=([0-9a-f]{64})$/.exec(location.hash) ?? []
  if (id === undefined) return null
  const response = await fetch(`/v1/receipts/${id}/proof`)
  if (!response.ok) {
    const { detail } = Object(await response.json().catch(() => null)) as { detail?: unknown }
    throw new Error(`This receipt has no proof here: ${String(detail ?? response.status)}.`)
  }
  return { name: `${id}.assay`, bytes: new Uint8Array(await response.arrayBuffer()) }
}
