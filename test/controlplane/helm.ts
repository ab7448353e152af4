/** Where helm comes from: HELM, the cache, or a build from its Go module. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildBinaries, cacheFolder, problemWithGo, REPRODUCIBLE } from './build.ts';

/** The folder of go.mod and go.sum, which say what is built. */
const MODULE = join(import.meta.dirname, 'helm');

/**
 * The path of helm, which is built where it is missing: about three minutes on two cores.
 *
 * @throws an error that says how to get it, when there is neither Go nor HELM
 */
export async function findHelm(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (environment.HELM) return environment.HELM;
  const version = helmVersion();
  const variable = `-X helm.sh/helm/v3/internal/version.version=${version}`;
  const build = { module: MODULE, flags: [...REPRODUCIBLE, '-ldflags', `-s -w ${variable}`], environment };
  const dir = cacheFolder(build);
  if (!existsSync(dir)) {
    const problem = problemWithGo(environment);
    if (problem !== undefined) {
      throw new Error(
        `The tests of the chart need helm ${version}, and ${problem}: install Go 1.26 or newer from https://go.dev/dl/, or set HELM to the path of a helm.`,
      );
    }
    await buildBinaries({ ...build, dir, names: ['helm'], version, minutes: 3 });
  }
  return join(dir, 'helm');
}

function helmVersion(): string {
  const version = /^\s*helm\.sh\/helm\/v3 (v\S+)/m.exec(readFileSync(join(MODULE, 'go.mod'), 'utf8'))?.[1];
  if (version === undefined) throw new Error('test/controlplane/helm/go.mod requires no helm.sh/helm/v3');
  return version;
}
