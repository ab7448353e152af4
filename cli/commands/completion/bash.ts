/** Writes a completion script for bash. */
import { quoted, valueArms, wordArms } from './cases.ts';
import type { CompletedCommand, CompletedOption } from './tree.ts';

export function bashCompletion(commands: readonly CompletedCommand[]): string {
  return `# bash completion for cappol: source <(cappol completion bash)
_cappol() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    ${offering(quoted(commands.map(({ name }) => name)))}
    return
  fi
  case "$command $previous" in
${valueArms(commands, replyTo).join('\n')}
  esac
  case "$command" in
${wordArms(commands, offering).join('\n')}
  esac
}
complete -F _cappol cappol
`;
}

function offering(words: string): string {
  return `COMPREPLY=($(compgen -W ${words} -- "$current"))`;
}

function replyTo({ value, choices }: CompletedOption): string {
  if (value === 'choice') return `${offering(quoted(choices))}; return`;
  if (value === 'file') return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return';
  return 'return';
}
