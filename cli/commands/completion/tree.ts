/**
 * The structure of the program for completion scripts, taken from commander's own tree, so that nothing is forgotten.
 */
import type { Command, Option } from 'commander';

export interface CompletedCommand {
  readonly name: string;
  readonly about: string;
  readonly options: readonly CompletedOption[];
  /** The values that its argument may have; empty for any text. */
  readonly argumentChoices: readonly string[];
}

export interface CompletedOption {
  /** `-o` and `--output`. */
  readonly names: readonly string[];
  readonly about: string;
  /** The words that may follow it. */
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
