/**
 * Runs the command lines of other policy engines. The programs of these engines must be in PATH. All engines check the
 * same manifests. The engines use the capability rules of the level restricted.
 */
import { join } from 'node:path';
import type { Command } from './measured-command.ts';

export interface OtherTool {
  readonly name: string;
  command(manifests: string): Command;
  /** Reads the output of the tool, and returns the names of the workloads that the tool refuses. */
  refused(stdout: string): ReadonlySet<string>;
}

const policyOf = (tool: string) => join(import.meta.dirname, 'other-tools', `${tool}.yaml`);

export const OTHER_TOOLS: readonly OtherTool[] = [
  {
    name: 'gator',
    command: (manifests) => ({
      program: 'gator',
      args: ['test', '--filename', manifests, '--filename', policyOf('gator'), '--output', 'json'],
    }),
    refused: (stdout) => {
      const results = JSON.parse(stdout) as { violatingObject: { metadata: { name: string } } }[];
      return new Set(results.map(({ violatingObject }) => violatingObject.metadata.name));
    },
  },
  {
    name: 'kyverno',
    command: (manifests) => ({ program: 'kyverno', args: ['apply', policyOf('kyverno'), '--resource', manifests] }),
    refused: (stdout) => new Set([...stdout.matchAll(/-> resource \S+\/(\S+) failed:/g)].map(([, name = '']) => name)),
  },
];
