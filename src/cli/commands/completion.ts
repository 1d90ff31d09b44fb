import { Argument, type Command } from 'commander'
import { bashCompletion } from '../completion/bash.ts'
import { fishCompletion } from '../completion/fish.ts'
import { placesOf } from '../completion/places.ts'
import { zshCompletion } from '../completion/zsh.ts'
import { example } from '../example.ts'

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

/** @param whole opens the program with all its commands. */
export function addCompletion(program: Command, whole: () => Promise<Command>): void {
  program
    .command('completion')
    .description('print a script by which a shell completes commands and options')
    .addArgument(new Argument('<shell>', 'yours').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', '\nWhere each shell looks for it:')
    .addHelpText(
      'after',
      example(
        'assay completion bash > ~/.local/share/bash-completion/completions/assay',
        'assay completion zsh > ~/.zfunc/_assay',
        'assay completion fish > ~/.config/fish/completions/assay.fish',
      ),
    )
    .action(async (shell: keyof typeof SCRIPTS) => {
      process.stdout.write(SCRIPTS[shell](placesOf(await whole())))
    })
}
