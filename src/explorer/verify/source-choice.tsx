import type { NetworkName } from '../../../anchor/network.ts'
import { Drop, type GivenFile } from './drop.tsx'
import type { HeaderSource } from './header-source.ts'

/** What the reader has chosen and filled in so far. */
export interface SourceChoice {
  readonly kind: HeaderSource['kind']
  readonly file: GivenFile | null
  readonly network: NetworkName
  readonly url: string
}

const KINDS = [
  {
    kind: 'server',
    name: 'from this server’s node',
    hint: 'Easy, and checked as a chain; but the operator of the log chooses which chain you see.',
  },
  {
    kind: 'file',
    name: 'from a file of your own',
    hint: '80-byte headers from block 0 on, as the command assay headers writes them from your node. The strongest check.',
  },
  {
    kind: 'esplora',
    name: 'from an Esplora server that you trust',
    hint: 'One header is asked for by height; that server then knows which block you look at.',
  },
  { kind: 'none', name: 'none', hint: 'Everything but the last step is checked.' },
] as const

/** anchor/network.ts, which would bring its libraries along; a name that is none of its is refused by the types. */
const NETWORKS: readonly NetworkName[] = ['mainnet', 'testnet4', 'signet', 'regtest']

interface Props {
  readonly choice: SourceChoice
  readonly onChoice: (choice: SourceChoice) => void
  readonly onProblem: (text: string) => void
}

export function SourceFields({ choice, onChoice, onProblem }: Props) {
  return (
    <fieldset>
      <legend>Block headers</legend>
      {KINDS.map(({ kind, name, hint }) => (
        <div class="choice" key={kind}>
          <input
            type="radio"
            name="source"
            id={`source-${kind}`}
            checked={choice.kind === kind}
            aria-describedby={`hint-${kind}`}
            onChange={() => onChoice({ ...choice, kind })}
          />
          <label for={`source-${kind}`}>{name}</label>
          <span class="soft small" id={`hint-${kind}`}>
            {hint}
          </span>
          {kind === 'file' && choice.kind === kind && (
            <FileFields choice={choice} onChoice={onChoice} onProblem={onProblem} />
          )}
          {kind === 'esplora' && choice.kind === kind && (
            <label class="field">
              <span class="small">Address of its API</span>
              <input
                type="url"
                placeholder="https://blockstream.info/api"
                value={choice.url}
                onChange={({ currentTarget }) => onChoice({ ...choice, url: currentTarget.value.trim() })}
              />
            </label>
          )}
        </div>
      ))}
    </fieldset>
  )
}

function FileFields({ choice, onChoice, onProblem }: Props) {
  return (
    <div class="field">
      <label class="field">
        <span class="small">Whose rules the headers keep</span>
        <select
          value={choice.network}
          onChange={({ currentTarget: { value } }) => {
            const network = NETWORKS.find((name) => name === value)
            if (network !== undefined) onChoice({ ...choice, network })
          }}
        >
          {NETWORKS.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <Drop
        label="Drop the headers here"
        hint="headers.bin"
        file={choice.file}
        onFile={(file) => onChoice({ ...choice, file })}
        onProblem={onProblem}
      />
    </div>
  )
}

/** Null where something is still to be filled in. */
export function sourceOf({ kind, file, network, url }: SourceChoice): HeaderSource | null {
  switch (kind) {
    case 'file':
      return file === null ? null : { kind, bytes: file.bytes, network }
    case 'esplora':
      return /^https?:\/\/.+/.test(url) ? { kind, url } : null
    default:
      return { kind }
  }
}
