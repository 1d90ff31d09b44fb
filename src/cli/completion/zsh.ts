import type { Place, Word } from './places.ts'

/** To be sourced, or to lie in $fpath as `_assay`. */
export function zshCompletion(places: readonly Place[]): string {
  const known = places.slice(1).map(({ path }) => `'${path}'`)
  return `#compdef assay
_assay() {
  local place=assay before=$words[CURRENT-1] i
  local -a candidates flags
  for ((i = 2; i < CURRENT; i++)); do
    case "$place $words[i]" in
      (${known.join('|')}) place="$place $words[i]" ;;
      (*) break ;;
    esac
  done
  case $place in
${places.map(armOf).join('\n')}
  esac
  if (( $#candidates )); then _describe -t commands command candidates; else _files; fi
  _describe -o -t options option flags
}
if [[ $funcstack[1] = _assay ]]; then
  _assay "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _assay assay
fi
`
}

function armOf({ path, words, flags }: Place): string {
  const values = flags.flatMap(({ word, values }) =>
    values === null
      ? []
      : [
          `        (${word}) ${values.length === 0 ? '_files' : `compadd -- ${values.join(' ')}`}; return ;;\n`,
        ],
  )
  const after = values.length === 0 ? '' : `      case $before in\n${values.join('')}      esac\n`
  return `    ('${path}')\n${after}      candidates=(${described(words)})\n      flags=(${described(flags)})\n      ;;`
}

/** As _describe takes them: what stands after the first colon is shown beside the word. */
function described(words: readonly Word[]): string {
  return words
    .map(({ word, description }) => quoted(description === '' ? word : `${word}:${description}`))
    .join(' ')
}

/** Between single quotes nothing is special, not even a backslash. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
