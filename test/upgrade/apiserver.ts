/** Where the kube-apiserver comes from that a cluster is upgraded from: the cache, or a build from its Go module. */
import { join } from 'node:path';
import { buildFlags } from '../controlplane/build.ts';
import { findProgram } from '../controlplane/program.ts';

/** N of Kubernetes 1.N. */
export const OLDER = 34;

/**
 * The path of kube-apiserver 1.34, which is built where it is missing: about four minutes on two cores.
 *
 * @throws an error that says how to get Go, when there is none
 */
export async function findOlderApiServer(): Promise<string> {
  return findProgram({
    name: 'kube-apiserver',
    module: join(import.meta.dirname, 'apiserver'),
    of: 'k8s.io/kubernetes',
    flags: buildFlags,
    minutes: 4,
  });
}
