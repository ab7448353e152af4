/** Writes a completion script for fish. */
import type { CompletedCommand, CompletedOption } from './tree.ts';

export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, about, options, argumentChoices }) => [
    `complete -c cappol -n __fish_use_subcommand -a ${name} -d ${quoted(about)}`,
    ...options.map((option) => optionLine(name, option)),
    ...(argumentChoices.length > 0 ? [`${within(name)} -a ${quoted(argumentChoices.join(' '))}`] : []),
  ]);
  return `# fish completion for cappol: cappol completion fish | source
complete -c cappol -f
${lines.join('\n')}
`;
}

function optionLine(command: string, { names, about, value, choices }: CompletedOption): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const after = { none: [], text: ['-x'], file: ['-r', '-F'], choice: ['-x', `-a ${quoted(choices.join(' '))}`] }[
    value
  ];
  return [within(command), ...flags, ...after, `-d ${quoted(about)}`].join(' ');
}

function within(command: string): string {
  return `complete -c cappol -n '__fish_seen_subcommand_from ${command}'`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
