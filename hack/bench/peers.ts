/**
 * Other engines' command lines, on the same manifests and by the same rules: what level restricted says about
 * capabilities.
 */
import { join } from 'node:path';
import { REPRODUCIBLE } from '../controlplane/build.ts';
import { findProgram, type GoProgram, requiredVersion } from '../controlplane/program.ts';
import type { Command } from './measured-command.ts';

export interface Peer {
  readonly name: string;
  command(manifests: string): Command;
  /** The names of the workloads that its output reports. */
  refused(stdout: string): ReadonlySet<string>;
}

const FOLDER = join(import.meta.dirname, 'peers');
const GATOR = program('gator', 'gator', 'github.com/open-policy-agent/gatekeeper/v3', 4);
const KYVERNO = program('kubectl-kyverno', 'kyverno', 'github.com/kyverno/kyverno', 10);

/** Builds them the first time. */
export async function findPeers(): Promise<Peer[]> {
  const gator = await findProgram(GATOR);
  const kyverno = await findProgram(KYVERNO);
  return [
    {
      name: `gator ${versionOf(GATOR)}`,
      command: (manifests) => ({
        program: gator,
        args: ['test', '--filename', manifests, '--filename', policyOf('gator'), '--output', 'json'],
      }),
      refused: (stdout) => {
        const results = JSON.parse(stdout) as { violatingObject: { metadata: { name: string } } }[];
        return new Set(results.map(({ violatingObject }) => violatingObject.metadata.name));
      },
    },
    {
      name: `kyverno ${versionOf(KYVERNO)}`,
      command: (manifests) => ({ program: kyverno, args: ['apply', policyOf('kyverno'), '--resource', manifests] }),
      refused: (stdout) =>
        new Set([...stdout.matchAll(/-> resource \S+\/(\S+) failed:/g)].map(([, name = '']) => name)),
    },
  ];
}

function program(name: string, folder: string, of: string, minutes: number): GoProgram {
  return { name, module: join(FOLDER, folder), of, flags: () => [...REPRODUCIBLE, '-ldflags', '-s -w'], minutes };
}

function versionOf({ module, of }: GoProgram): string {
  return requiredVersion(module, of);
}

function policyOf(folder: string): string {
  return join(FOLDER, folder, 'policy.yaml');
}
