/** Builds krew and its validation tool once. */
import { dirname, join } from 'node:path';
import { REPRODUCIBLE } from '../../hack/controlplane/build.ts';
import { findProgram } from '../../hack/controlplane/program.ts';

export async function findKrew(): Promise<{ readonly krew: string; readonly validate: string }> {
  const krew = await findProgram({
    name: 'krew',
    module: join(import.meta.dirname, 'krew'),
    of: 'sigs.k8s.io/krew',
    flags: () => [...REPRODUCIBLE, '-ldflags', '-s -w'],
    minutes: 1,
  });
  return { krew, validate: join(dirname(krew), 'validate-krew-manifest') };
}
