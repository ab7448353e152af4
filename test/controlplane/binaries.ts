/** Where the programs of the control plane come from: KUBEBUILDER_ASSETS, the cache, or a build from Go modules. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { assertGo, buildBinaries, buildFlags, cacheFolder } from './build.ts';
import { requiredVersion } from './program.ts';

/** A folder with etcd, kube-apiserver, kube-controller-manager and kubectl. */
export interface Binaries {
  readonly dir: string;
  readonly etcd: string;
  readonly apiServer: string;
  readonly controllerManager: string;
  readonly kubectl: string;
}

/** The folder of go.mod and go.sum, which say what is built. */
const MODULE = import.meta.dirname;
const NAMES = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl'] as const;

/**
 * Finds the programs, and builds them where they are missing: about five minutes on two cores, with progress on
 * standard error; later calls find the result in the cache.
 *
 * @throws an error that says how to get the programs, when there is neither Go nor KUBEBUILDER_ASSETS
 */
export async function findBinaries(environment: NodeJS.ProcessEnv = process.env): Promise<Binaries> {
  const assets = environment.KUBEBUILDER_ASSETS;
  if (assets) {
    return fromAssets(assets);
  }
  const version = kubernetesVersion();
  const build = { module: MODULE, flags: buildFlags(version), environment };
  const dir = cacheFolder(build);
  if (!existsSync(dir)) {
    assertGo(environment, version);
    await buildBinaries({ ...build, dir, names: NAMES, version, minutes: 5 });
  }
  return binariesIn(dir);
}

/** The Kubernetes version that go.mod names, as in v1.36.3. */
export function kubernetesVersion(): string {
  return requiredVersion(MODULE, 'k8s.io/kubernetes');
}

function fromAssets(dir: string): Binaries {
  const missing = NAMES.filter((name) => !existsSync(join(dir, name)));
  if (missing.length > 0) {
    throw new Error(
      [
        `KUBEBUILDER_ASSETS=${dir} lacks ${missing.join(', ')}.`,
        'The assets of setup-envtest have no kube-controller-manager: put the one of the same version beside them, from https://dl.k8s.io/<version>/bin/<os>/<arch>/kube-controller-manager,',
        'or unset KUBEBUILDER_ASSETS to have all of them built with Go.',
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
