/**
 * Finds the programs of the control plane in KUBEBUILDER_ASSETS or in the cache. If the programs are missing, they are
 * built from Go modules.
 *
 * KUBERNETES_VERSION (such as `1.33`) selects the version of kube-apiserver and kube-controller-manager. Each version
 * has a Go module in versions/.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { assertGo, type Build, buildBinaries, buildFlags, cacheFolder } from './build.ts';
import { requiredVersion } from './program.ts';

/**
 * The paths and the version of the programs etcd, kube-apiserver, kube-controller-manager and kubectl, and the path of
 * their folder.
 */
export interface Binaries {
  readonly dir: string;
  readonly etcd: string;
  readonly apiServer: string;
  readonly controllerManager: string;
  readonly kubectl: string;
}

/**
 * The folder with go.mod and go.sum. The files go.mod and go.sum determine which versions of the programs are built.
 */
const MODULE = import.meta.dirname;
const NAMES = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;
/**
 * This folder contains a Go module `1.N` for each Kubernetes version. The Kubernetes version in go.mod is the only
 * version without a module in this folder.
 */
const VERSIONS = join(import.meta.dirname, 'versions');
const VERSIONED = ['kube-apiserver', 'kube-controller-manager'] as const;
const KUBERNETES = 'k8s.io/kubernetes';

/**
 * Finds the programs, and builds missing programs. The progress of a build is shown on standard error. A build takes
 * about five minutes on two cores. Later calls find the built programs in the cache.
 *
 * @throws an error if both Go and KUBEBUILDER_ASSETS are missing. The error says how to get the programs
 */
export async function findBinaries(environment: NodeJS.ProcessEnv = process.env): Promise<Binaries> {
  const assets = environment.KUBEBUILDER_ASSETS;
  if (assets) {
    return fromAssets(assets);
  }
  const programs = binariesIn(await findBuilt({ module: MODULE, names: NAMES, minutes: 5 }, environment));
  const module = versionModule(environment);
  if (module === undefined) return programs;
  const packages = VERSIONED.map((name) => `${KUBERNETES}/cmd/${name}`);
  const dir = await findBuilt({ module, names: VERSIONED, packages, minutes: 6 }, environment);
  const { apiServer, controllerManager } = binariesIn(dir);
  return { ...programs, apiServer, controllerManager };
}

/**
 * The Kubernetes version of the API server, in the form v1.N.2. KUBERNETES_VERSION selects the version. The default is
 * the version in go.mod.
 */
export function kubernetesVersion(environment: NodeJS.ProcessEnv = process.env): string {
  return requiredVersion(versionModule(environment) ?? MODULE, KUBERNETES);
}

/** The versions that KUBERNETES_VERSION may name, such as 1.33, sorted from the oldest to the newest. */
export function otherVersions(): string[] {
  const minor = (version: string) => Number(version.split('.')[1]);
  return readdirSync(VERSIONS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /^1\.\d+$/.test(entry.name))
    .map(({ name }) => name)
    .sort((a, b) => minor(a) - minor(b));
}

/**
 * Whether the programs of a version already exist, so that nothing has to be built.
 *
 * @param version a version that KUBERNETES_VERSION may name
 */
export function isBuilt(version: string, environment: NodeJS.ProcessEnv = process.env): boolean {
  const module = join(VERSIONS, version);
  return existsSync(cacheFolder({ module, flags: buildFlags(requiredVersion(module, KUBERNETES)), environment }));
}

/** The module of the version that KUBERNETES_VERSION names. @returns undefined for the version in go.mod */
function versionModule({ KUBERNETES_VERSION: version }: NodeJS.ProcessEnv): string | undefined {
  if (!version || requiredVersion(MODULE, KUBERNETES).startsWith(`v${version}.`)) return undefined;
  const known = otherVersions();
  if (!known.includes(version)) {
    throw new Error(
      `KUBERNETES_VERSION=${version}: this version is not available here; write one of ${known.join(', ')}`,
    );
  }
  return join(VERSIONS, version);
}

/** Finds the programs of a module, and builds missing programs. @returns the folder with the programs */
async function findBuilt(
  what: Pick<Build, 'module' | 'names' | 'packages' | 'minutes'>,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const version = requiredVersion(what.module, KUBERNETES);
  const build = { ...what, flags: buildFlags(version), environment };
  const dir = cacheFolder(build);
  if (!existsSync(dir)) {
    assertGo(environment, version);
    await buildBinaries({ ...build, dir, version });
  }
  return dir;
}

function fromAssets(dir: string): Binaries {
  const missing = NAMES.filter((name) => !existsSync(join(dir, name)));
  if (missing.length > 0) {
    throw new Error(
      [
        `KUBEBUILDER_ASSETS=${dir} lacks ${missing.join(', ')}.`,
        'The assets of setup-envtest contain no kube-controller-manager. Download kube-controller-manager of the same version into this folder, from https://dl.k8s.io/<version>/bin/<os>/<arch>/kube-controller-manager,',
        'or unset KUBEBUILDER_ASSETS to build all programs with Go.',
      ].join('\n'),
    );
  }
  return binariesIn(dir);
}

function binariesIn(dir: string): Binaries {
  return {
    dir,
    etcd: join(dir, 'etcd'),
    apiServer: join(dir, 'kube-apiserver'),
    controllerManager: join(dir, 'kube-controller-manager'),
    kubectl: join(dir, 'kubectl'),
  };
}
