/** Writes a completion script for zsh. */
import type { CompletedCommand, CompletedOption } from './tree.ts';

export function zshCompletion(commands: readonly CompletedCommand[]): string {
  return `#compdef cappol
# zsh completion for cappol: cappol completion zsh > "\${fpath[1]}/_cappol"
_cappol() {
  local context state line
  local -a commands=(
${commands.map(({ name, about }) => `    ${quoted(`${name}:${about.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  _arguments -C '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest)
      case $line[1] in
${commands.map(branch).join('\n')}
      esac ;;
  esac
}
# As a file of fpath this is the function's first call; it may also be sourced.
if [[ $funcstack[1] == _cappol ]]; then _cappol "$@"; else compdef _cappol cappol; fi
`;
}

function branch({ name, options, argumentChoices }: CompletedCommand): string {
  const specs = options.flatMap(optionSpecs);
  const rest = argumentChoices.length > 0 ? [quoted(`*: :(${argumentChoices.join(' ')})`)] : [];
  return `        ${name}) _arguments ${[...specs, ...rest, "'--help[what it does]'"].join(' ')} ;;`;
}

function optionSpecs({ names, about, value, choices }: CompletedOption): string[] {
  const after = { none: '', file: ':file:_files', choice: `:value:(${choices.join(' ')})`, text: ':value: ' }[value];
  return names.map((name) => quoted(`*${name}[${about.replaceAll(/[[\]]/g, '')}]${after}`));
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
