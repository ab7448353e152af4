/**
 * Parses the command line of `npm run try`. The code is pure, because main.ts passes the arguments of the process to
 * the parser.
 */
import { parseArgs } from 'node:util';

export const HELP = `Usage: npm run try [-- --remove]

Runs the operator of this checkout beside the cluster of kubectl's current context, until Ctrl-C. It has the rights of
its service account, and no others. First create these: kubectl apply -k config/try

  --remove     delete all CapabilityPolicies of the cluster, what they are compiled to, the labels that the operator
               set, and what config/try created
  -h, --help   print this help
`;

/** Parses the options. @throws Error with a line that names the wrong option */
export function parseOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: { remove: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  });
  return values;
}
