/** completion: a script that completes commands, options and their values. */
import { Argument } from 'commander';
import type { RegisterCommand } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import type { CompletedCommand } from './tree.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export const registerCompletion: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('completion')
    .description('a script that completes commands, options and their values in a shell')
    .addArgument(new Argument('<shell>', 'for which shell').choices(SHELLS))
    .action(async (shell: (typeof SHELLS)[number]) => {
      const { completedCommands } = await import('./tree.ts');
      const commands = completedCommands(program);
      io.stdout.write(await script(shell, commands));
      finish(0);
    });
  withExamples(command, [
    { what: 'In this bash', paste: 'source <(cappol completion bash)' },
    { what: 'As a file of zsh', paste: 'cappol completion zsh > _cappol' },
    { what: 'As a file of fish', paste: 'cappol completion fish > cappol.fish' },
  ]);
};

async function script(shell: (typeof SHELLS)[number], commands: readonly CompletedCommand[]): Promise<string> {
  switch (shell) {
    case 'bash':
      return (await import('./bash.ts')).bashCompletion(commands);
    case 'zsh':
      return (await import('./zsh.ts')).zshCompletion(commands);
    case 'fish':
      return (await import('./fish.ts')).fishCompletion(commands);
  }
}
