import type { Command, Option } from 'commander';
import { completionScript, type Tree } from '../completion.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a completion script: eval "$(dropreel completion bash)"')
    .argument('<shell>', SHELLS.join(', '))
    .action((shell: string, _options: object, command: Command) => {
      const known = SHELLS.find((name) => name === shell);
      if (!known)
        command.error(`error: there is no completion for ${shell}; available are ${SHELLS.join(', ')}`, {
          exitCode: 2,
        });
      else process.stdout.write(completionScript(known, treeOf(program)));
    });
}

/** The existing commands and options, so that a completion script is never outdated. */
function treeOf(command: Command): Tree {
  return {
    name: command.name(),
    description: command.description(),
    options: command.options.flatMap(({ long, short }: Option) => [long, short].filter((flag) => flag !== undefined)),
    commands: command.commands.map(treeOf),
  };
}
