/** Where the last kube-apiserver with PodSecurityPolicy comes from: the cache, or a build from its Go module. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { assertGo, buildBinaries, buildFlags, cacheFolder } from '../controlplane/build.ts';

/** The folder of go.mod and go.sum, which say what is built. */
const MODULE = join(import.meta.dirname, 'apiserver');
const VERSION = 'v1.24.17';
/** Kubernetes 1.24 reaches into the insides of libraries in ways that later Go linkers refuse. */
const TOOLCHAIN = 'go1.20.14';

/**
 * The path of kube-apiserver 1.24, which is built where it is missing: about four minutes on two cores.
 *
 * @throws an error that says how to get Go, when there is none
 */
export async function findPspApiServer(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const build = {
    module: MODULE,
    flags: buildFlags(VERSION),
    environment: { ...environment, GOTOOLCHAIN: TOOLCHAIN },
  };
  const dir = cacheFolder(build);
  if (!existsSync(dir)) {
    assertGo(environment, VERSION);
    const packages = ['k8s.io/kubernetes/cmd/kube-apiserver'];
    await buildBinaries({ ...build, dir, names: ['kube-apiserver'], packages, version: VERSION, minutes: 4 });
  }
  return join(dir, 'kube-apiserver');
}
