/** Finds the last kube-apiserver with PodSecurityPolicy: in the cache, or by a build from its Go module. */
import { join } from 'node:path';
import { buildFlags } from '../../hack/controlplane/build.ts';
import { findProgram } from '../../hack/controlplane/program.ts';

/**
 * The path of kube-apiserver 1.24; a missing one is built, which takes about four minutes on two cores.
 *
 * @throws an error that says how to get Go, if it is missing
 */
export async function findPspApiServer(): Promise<string> {
  return findProgram({
    name: 'kube-apiserver',
    module: join(import.meta.dirname, 'apiserver'),
    of: 'k8s.io/kubernetes',
    packages: ['k8s.io/kubernetes/cmd/kube-apiserver'],
    flags: buildFlags,
    minutes: 4,
    // Kubernetes 1.24 uses internals of libraries in ways that later Go linkers refuse.
    toolchain: 'go1.20.14',
  });
}
