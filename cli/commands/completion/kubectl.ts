/**
 * Writes the program `kubectl_complete-cappol`. kubectl runs this program from the PATH to complete command lines of
 * its plugin (k8s.io/kubectl/pkg/cmd/plugin/plugin_completion.go). The program gets the words of the command line. The
 * program prints the completions of the last word, and then Cobra's directive for the shell.
 */
import { quoted, valueArms, wordArms } from './cases.ts';
import type { CompletedCommand } from './tree.ts';

/**
 * The directive (ShellCompDirective in github.com/spf13/cobra/completions.go) says what the shell offers. The shell
 * offers the printed words and files, or only the printed words.
 */
const FILES = ':0';
const NO_FILES = ':4';

export function kubectlCompletion(commands: readonly CompletedCommand[]): string {
  return `#!/bin/sh
# completion of kubectl cappol: an executable kubectl_complete-cappol in the PATH
command=$1 previous= current=
for word in "$@"; do previous=$current current=$word; done
offer() {
  for word in $1; do case "$word" in "$current"*) echo "$word" ;; esac; done
  echo '${NO_FILES}'
  exit
}
if [ $# -le 1 ]; then offer ${quoted(commands.map(({ name }) => name))}; fi
case "$command $previous" in
${valueArms(commands, ({ value, choices }) => (value === 'file' ? `echo '${FILES}'; exit` : `offer ${quoted(choices)}`)).join('\n')}
esac
case "$command" in
${wordArms(commands, (words) => `offer ${words}`).join('\n')}
esac
echo '${NO_FILES}'
`;
}
