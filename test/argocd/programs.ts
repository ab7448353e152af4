/**
 * Finds the programs that a real Argo CD needs. Argo CD and kustomize are built from the Go module beside this file.
 * Three other programs come from Debian.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { REPRODUCIBLE } from '../../hack/controlplane/build.ts';
import { findProgram, requiredVersion } from '../../hack/controlplane/program.ts';

/** The folder of go.mod and go.sum. These two files determine the versions of the built programs. */
const MODULE = import.meta.dirname;
const ARGOCD = 'github.com/argoproj/argo-cd/v3';
/** Argo CD requires Go 1.27. */
const TOOLCHAIN = 'go1.27.4';

export interface Programs {
  /** The path of Argo CD's program, which contains all of Argo CD's servers. */
  readonly argocd: string;
  readonly kustomize: string;
}

/** The version of Argo CD in the form `v3.6.1`. */
export function argocdVersion(): string {
  return requiredVersion(MODULE, ARGOCD);
}

/** The folder of Argo CD's source, with its CRDs and ConfigMaps. */
export async function argocdSource(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', `${ARGOCD}@${argocdVersion()}`], {
    env: { ...environment, GOTOOLCHAIN: TOOLCHAIN },
  });
  return JSON.parse(stdout).Dir;
}

/**
 * Finds the programs, and builds the missing programs. Building takes about ten minutes on two cores, and prints its
 * progress to standard error.
 */
export async function findPrograms(environment: NodeJS.ProcessEnv = process.env): Promise<Programs> {
  const program = {
    name: 'argocd',
    module: MODULE,
    of: ARGOCD,
    flags: (version: string) => [
      ...REPRODUCIBLE,
      '-ldflags',
      `-s -w -X ${ARGOCD}/common.version=${version.replace('v', '')}`,
    ],
    minutes: 10,
    toolchain: TOOLCHAIN,
  };
  const argocd = await findProgram(program, environment);
  return { argocd, kustomize: join(argocd, '..', 'kustomize') };
}
