/**
 * Parses the command line of the demo. The code is pure, because demo.ts passes the arguments of the process to the
 * parser.
 */
import { parseArgs } from 'node:util';

export const HELP = `Usage: npm run demo -- [options]

Shows what the operator does, with the commands that a user would type and what they print.

  --once             end after the story (default: everything stays up until Ctrl-C)
  --node             add a node, so that pods run: needs Linux, root and some packages
  --use-kubeconfig   use the cluster of KUBECONFIG (default: a control plane of its own), and remove what the demo
                     creates there
  -h, --help         print this help
`;

/** Parses the options. @throws Error with a line that names the wrong option */
export function parseOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      node: { type: 'boolean', default: false },
      'use-kubeconfig': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.node && values['use-kubeconfig']) throw new Error('--node and --use-kubeconfig exclude each other');
  return values;
}
