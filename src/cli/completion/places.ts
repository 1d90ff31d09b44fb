import type { Argument, Command, Option } from 'commander'

/** What may stand next, and what it is. */
export interface Word {
  readonly word: string
  readonly description: string
}

export interface Flag extends Word {
  /** What may stand after it: null nothing, empty anything. */
  readonly values: readonly string[] | null
}

/** Where a command line is, once its leading words are known. */
export interface Place {
  /** From the program's name on, such as `assay anchor`. */
  readonly path: string
  readonly words: readonly Word[]
  readonly flags: readonly Flag[]
}

/** Every command of a program, groups and the program itself, as its help shows them. */
export function placesOf(command: Command, path = command.name()): Place[] {
  const help = command.createHelp()
  const below = help.visibleCommands(command)
  const [first] = command.registeredArguments
  const options = [command, ...defaultOf(command)].flatMap((one) => help.visibleOptions(one))
  return [
    {
      path,
      words: [...below.map(wordOf), ...choicesOf(first)],
      // Keyed, since a group and what it does by default both have --help.
      flags: [...new Map(options.map(flagOf).map((flag) => [flag.word, flag])).values()],
    },
    ...below.flatMap((one) => placesOf(one, `${path} ${one.name()}`)),
  ]
}

function wordOf(command: Command): Word {
  return { word: command.name(), description: command.description() }
}

function choicesOf(argument: Argument | undefined): Word[] {
  return (argument?.argChoices ?? []).map((word) => ({ word, description: '' }))
}

function flagOf(option: Option): Flag {
  const { long, flags, description, argChoices, required, optional } = option
  return { word: long ?? flags, description, values: required || optional ? (argChoices ?? []) : null }
}

/** What a group does without a subcommand, as `assay worker` does; commander 14 tells it by this name alone. */
function defaultOf(command: Command): Command[] {
  const name: unknown = Reflect.get(command, '_defaultCommandName')
  return command.commands.filter((one) => one.name() === name)
}
