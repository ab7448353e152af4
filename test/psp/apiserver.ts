/** Where the last kube-apiserver with PodSecurityPolicy comes from: the cache, or a build from its Go module. */
import { join } from 'node:path';
import { buildFlags } from '../../hack/controlplane/build.ts';
import { findProgram } from '../../hack/controlplane/program.ts';

/**
 * The path of kube-apiserver 1.24, which is built where it is missing: about four minutes on two cores.
 *
 * @throws an error that says how to get Go, when there is none
 */
export async function findPspApiServer(): Promise<string> {
  return findProgram({
    name: 'kube-apiserver',
    module: join(import.meta.dirname, 'apiserver'),
    of: 'k8s.io/kubernetes',
    packages: ['k8s.io/kubernetes/cmd/kube-apiserver'],
    flags: buildFlags,
    minutes: 4,
    // Kubernetes 1.24 reaches into the insides of libraries in ways that later Go linkers refuse.
    toolchain: 'go1.20.14',
  });
}
