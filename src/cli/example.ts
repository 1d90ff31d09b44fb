/** The end of a command's help, for commander's `addHelpText('after', …)`: whole command lines, from `assay` on. */
export function example(...lines: readonly [string, ...string[]]): string {
  return ['', lines.length === 1 ? 'Example:' : 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n')
}
