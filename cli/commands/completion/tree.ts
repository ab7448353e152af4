/**
 * Describes the structure of the program for completion scripts. The structure is read from commander's own tree, so
 * every command is included.
 */
import type { Command, Option } from 'commander';

export interface CompletedCommand {
  readonly name: string;
  readonly about: string;
  readonly options: readonly CompletedOption[];
  /** The values that the command's argument may have. The list is empty if the argument may be any text. */
  readonly argumentChoices: readonly string[];
}

export interface CompletedOption {
  /** The names of the option, such as `-o` and `--output`. */
  readonly names: readonly string[];
  readonly about: string;
  /** The kind of value that follows the option. */
  readonly value: 'none' | 'file' | 'choice' | 'text';
  readonly choices: readonly string[];
}

const FILES = /<(?:file|path)/;

export function completedCommands(program: Command): CompletedCommand[] {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    about: firstLine(command.summary() || command.description()),
    options: command.options.filter(({ hidden }) => !hidden).map(completedOption),
    argumentChoices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  }));
  const names = commands.map(({ name }) => name);
  return [...commands, { name: 'help', about: 'what a command does', options: [], argumentChoices: names }];
}

function completedOption({ short, long, description, flags, argChoices, required, optional }: Option): CompletedOption {
  const choices = argChoices ?? [];
  const takesValue = required || optional;
  return {
    names: [short, long].filter((name) => name !== undefined),
    about: firstLine(description),
    value: !takesValue ? 'none' : choices.length > 0 ? 'choice' : FILES.test(flags) ? 'file' : 'text',
    choices,
  };
}

function firstLine(text: string): string {
  return (text.split(/[\n;:(]/)[0] ?? '').trim();
}
