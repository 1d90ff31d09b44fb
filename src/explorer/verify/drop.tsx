import { useRef, useState } from 'preact/hooks'

export interface GivenFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** Headers of ninety years take 380 MB; nothing else comes near. */
const MAX_FILE_BYTES = 400_000_000

interface DropProps {
  readonly label: string
  readonly hint: string
  readonly file: GivenFile | null
  readonly onFile: (file: GivenFile) => void
  readonly onProblem: (text: string) => void
}

/** A file, dropped or chosen. It is read here and goes nowhere. */
export function Drop({ label, hint, file, onFile, onProblem }: DropProps) {
  const [isOver, setIsOver] = useState(false)
  const input = useRef<HTMLInputElement>(null)

  async function take(chosen: File | undefined): Promise<void> {
    if (chosen === undefined) return
    if (chosen.size > MAX_FILE_BYTES)
      return onProblem(`${chosen.name} is too large to be one of these files.`)
    try {
      onFile({ name: chosen.name, bytes: new Uint8Array(await chosen.arrayBuffer()) })
    } catch {
      onProblem(`${chosen.name} can’t be read. Is it a folder, or has it been moved?`)
    }
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a short cut; the button in it is the way by keyboard
    <div
      class={isOver ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault()
        setIsOver(true)
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setIsOver(false)
        void take(event.dataTransfer?.files[0])
      }}
    >
      <strong>{file === null ? label : file.name}</strong>
      <span class="soft small">{hint}</span>
      <button type="button" onClick={() => input.current?.click()}>
        {file === null ? 'Choose a file' : 'Choose another'}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={label}
        onChange={({ currentTarget }) => {
          void take(currentTarget.files?.[0])
          // So that the same file can be chosen again after it was changed.
          currentTarget.value = ''
        }}
      />
    </div>
  )
}
