import type { Flag, Place, Word } from './places.ts'

/** To be sourced, or to lie in fish's completions/ as `assay.fish`. */
export function fishCompletion(places: readonly Place[]): string {
  const known = places.slice(1).map(({ path }) => quoted(path))
  return `function __assay_at
  set -l place assay
  for word in (commandline -opc)[2..]
    switch "$place $word"
      case ${known.join(' ')}
        set place "$place $word"
      case '*'
        break
    end
  end
  test "$place" = "$argv[1]"
end
${places.map(linesOf).join('')}`
}

function linesOf({ path, words, flags }: Place): string {
  const start = `complete -c assay -n ${quoted(`__assay_at ${quoted(path)}`)}`
  return [...words.map(wordLine), ...flags.map(flagLine)].map((line) => `${start} ${line}\n`).join('')
}

function wordLine({ word, description }: Word): string {
  return `-f -a ${word}${described(description)}`
}

function flagLine({ word, description, values }: Flag): string {
  const name = `-l ${word.replace(/^--/, '')}`
  const value = values === null ? '' : values.length === 0 ? ' -r' : ` -x -a ${quoted(values.join(' '))}`
  return `${name}${value}${described(description)}`
}

function described(description: string): string {
  return description === '' ? '' : ` -d ${quoted(description)}`
}

/** Between single quotes fish knows two escapes, of the quote and of the backslash. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`
}
