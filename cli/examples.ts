/** Adds examples to the help of a command. Each example works when it is pasted into a shell. */
import type { Command } from 'commander';

interface Example {
  /** The purpose of the example in a few words. */
  readonly what: string;
  /** The commands to paste into a shell. A here-document in the commands must not be indented. */
  readonly paste: string;
}

/** Adds examples to the end of the command's help. */
export function withExamples(command: Command, examples: readonly Example[]): Command {
  const texts = examples.map(({ what, paste }) => `# ${what}\n${paste}\n`);
  return command.addHelpText('after', `\nExamples:\n\n${texts.join('\n')}`);
}
