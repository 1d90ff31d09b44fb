import type { Place, Word } from './places.ts'

/** For bash from 3.2 on, which macOS has. Where nothing matches, readline completes file names. */
export function bashCompletion(places: readonly Place[]): string {
  const known = places.slice(1).map(({ path }) => `'${path}'`)
  return `_assay() {
  local typed=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} place=assay words= flags= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$place \${COMP_WORDS[i]}" in
      ${known.join('|')}) place="$place \${COMP_WORDS[i]}" ;;
      *) break ;;
    esac
  done
  case $place in
${places.map(armOf).join('\n')}
  esac
  if [[ $typed = -* ]]; then words=$flags; fi
  COMPREPLY=($(compgen -W "$words" -- "$typed"))
}
complete -o default -F _assay assay
`
}

function armOf({ path, words, flags }: Place): string {
  const values = flags.flatMap(({ word, values }) =>
    values === null ? [] : [`        ${word}) words='${values.join(' ')}' flags= ;;\n`],
  )
  const after = values.length === 0 ? '' : `      case $before in\n${values.join('')}      esac\n`
  return `    '${path}')\n      words='${list(words)}' flags='${list(flags)}'\n${after}      ;;`
}

function list(words: readonly Word[]): string {
  return words.map(({ word }) => word).join(' ')
}
