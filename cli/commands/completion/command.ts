/** The command `completion` prints a script that completes commands, options and their values. */
import { Argument } from 'commander';
import type { RegisterCommand } from '../../command.ts';
import { withExamples } from '../../examples.ts';

const SCRIPTS = {
  bash: async () => (await import('./bash.ts')).bashCompletion,
  zsh: async () => (await import('./zsh.ts')).zshCompletion,
  fish: async () => (await import('./fish.ts')).fishCompletion,
  kubectl: async () => (await import('./kubectl.ts')).kubectlCompletion,
};

export const registerCompletion: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('completion')
    .description('a script that completes commands, options and their values in a shell')
    .addArgument(new Argument('<shell>', 'for which shell').choices(Object.keys(SCRIPTS)))
    .action(async (shell: keyof typeof SCRIPTS) => {
      const { completedCommands } = await import('./tree.ts');
      const script = await SCRIPTS[shell]();
      io.stdout.write(script(completedCommands(program)));
      finish(0);
    });
  withExamples(command, [
    { what: 'In this bash', paste: 'source <(cappol completion bash)' },
    { what: 'As a file of zsh', paste: 'cappol completion zsh > _cappol' },
    { what: 'As a file of fish', paste: 'cappol completion fish > cappol.fish' },
    {
      what: 'For `kubectl cappol`: write the script into a folder of the PATH',
      paste: 'cappol completion kubectl > kubectl_complete-cappol; chmod +x kubectl_complete-cappol',
    },
  ]);
};
