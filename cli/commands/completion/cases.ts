/**
 * Writes the arms of `case` statements in POSIX shell scripts. The completion scripts for bash and for kubectl contain
 * the arms of these `case` statements.
 */
import type { CompletedCommand, CompletedOption } from './tree.ts';

/**
 * Returns the arms for `case "$command $previous"`, one arm for each option that has a value.
 *
 * @param reply returns the shell commands that complete the option's value
 */
export function valueArms(commands: readonly CompletedCommand[], reply: (option: CompletedOption) => string): string[] {
  return commands.flatMap(({ name, options }) =>
    options
      .filter(({ value }) => value !== 'none')
      .map((option) => {
        const pattern = option.names.map((one) => `'${name} ${one}'`).join(' | ');
        return `  ${pattern}) ${reply(option)} ;;`;
      }),
  );
}

/**
 * Returns the arms for `case "$command"`, one arm for each command.
 *
 * @param reply returns the shell commands that offer the quoted words as completions
 */
export function wordArms(commands: readonly CompletedCommand[], reply: (words: string) => string): string[] {
  return commands.map(({ name, options, argumentChoices }) => {
    const words = [...argumentChoices, ...options.flatMap(({ names }) => names), '--help'];
    return `  ${name}) ${reply(quoted(words))} ;;`;
  });
}

export function quoted(words: readonly string[]): string {
  return `'${words.join(' ')}'`;
}
