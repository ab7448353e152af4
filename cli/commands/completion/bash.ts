/** A completion script for bash. */
import type { CompletedCommand } from './tree.ts';

export function bashCompletion(commands: readonly CompletedCommand[]): string {
  return `# bash completion for cappol: source <(cappol completion bash)
_cappol() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W ${quoted(commands.map(({ name }) => name))} -- "$current"))
    return
  fi
  case "$command $previous" in
${commands.flatMap(afterOptions).join('\n')}
  esac
  case "$command" in
${commands.map(words).join('\n')}
  esac
}
complete -F _cappol cappol
`;
}

function afterOptions({ name, options }: CompletedCommand): string[] {
  return options
    .filter(({ value }) => value !== 'none')
    .map(({ names, value, choices }) => {
      const pattern = names.map((option) => `'${name} ${option}'`).join('|');
      const reply = {
        choice: `COMPREPLY=($(compgen -W ${quoted(choices)} -- "$current")); return`,
        file: 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return',
        text: 'return',
        none: '',
      }[value];
      return `    ${pattern}) ${reply} ;;`;
    });
}

function words({ name, options, argumentChoices }: CompletedCommand): string {
  const all = [...argumentChoices, ...options.flatMap(({ names }) => names), '--help'];
  return `    ${name}) COMPREPLY=($(compgen -W ${quoted(all)} -- "$current")) ;;`;
}

function quoted(list: readonly string[]): string {
  return `'${list.join(' ')}'`;
}
