/**
 * Finds helm through the environment variable HELM, or in the cache. If helm is missing, it is built from its Go
 * module.
 */
import { join } from 'node:path';
import { REPRODUCIBLE } from './build.ts';
import { findProgram } from './program.ts';

/**
 * The path of helm. If helm is missing, the function builds helm, which takes about three minutes on two cores.
 *
 * @throws an error if both Go and HELM are missing. The error says how to get helm
 */
export async function findHelm(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (environment.HELM) return environment.HELM;
  const helm = {
    name: 'helm',
    module: join(import.meta.dirname, 'helm'),
    of: 'helm.sh/helm/v3',
    flags: (version: string) => [
      ...REPRODUCIBLE,
      '-ldflags',
      `-s -w -X helm.sh/helm/v3/internal/version.version=${version}`,
    ],
    minutes: 3,
    otherwise: 'set HELM to the path of the program helm',
  };
  return findProgram(helm, environment);
}
