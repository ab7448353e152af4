/**
 * Kubernetes v1.38.0-beta.0 imports packages from the new module k8s.io/apiextensions-api. Proxies for Go modules might
 * not serve this module yet. The functions in this file therefore write the module. The functions copy the packages
 * from the old module k8s.io/apiextensions-apiserver, in the last release before the packages moved. The packages are
 * the Go types of CustomResourceDefinitions and their clients. Proxies may also still lack v7.0.1 of
 * structured-merge-diff, so the go.mod of v1.38.0-beta.0 names v7.0.0. Remove this file when proxies serve both
 * modules.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The name of a folder. If a Kubernetes version needs the new module, the go.mod of this version refers to this folder.
 */
const NAME = 'apiextensions-api';
const OLD = 'k8s.io/apiextensions-apiserver';
/** The last release that contains the packages, and the checksum of this release in the format of a go.sum. */
const RELEASE = 'v0.38.0-alpha.2';
export const CHECKSUM = 'h1:Dpd+3zumeKXyn1jCxYGMAZJA+1WOquf+phzjcQU3K/c=';
const TYPES = ['v1', 'v1beta1'].map((version) => join('pkg', 'apis', 'apiextensions', version));
/**
 * The code that converts to internal types remains in the old module. The moved packages need only the variable
 * `nullLiteral` from the remaining code.
 */
const CONVERSIONS = ['conversion.go', 'zz_generated.conversion.go'];
const NULL = '\nvar nullLiteral = []byte(`null`)\n';

/**
 * Writes a folder with the go.mod and go.sum of a module. If the module refers to the moved packages, the folder also
 * contains these packages.
 *
 * @param module the folder of go.mod and go.sum
 * @param target the folder to create
 * @returns the folder in which the module can be built. If the module does not refer to the moved packages, the result
 * is `module`
 */
export function withMovedPackages(module: string, target: string, environment: NodeJS.ProcessEnv): string {
  const text = readFileSync(join(module, 'go.mod'), 'utf8');
  if (!text.includes(`=> ./${NAME}\n`)) return module;
  mkdirSync(target);
  for (const file of ['go.mod', 'go.sum']) cpSync(join(module, file), join(target, file));
  const packages = join(target, NAME);
  const source = downloaded(environment);
  for (const path of [...TYPES, join('pkg', 'client')]) copy(join(source, path), join(packages, path));
  for (const path of TYPES) {
    const marshalling = join(packages, path, 'marshal.go');
    writeFileSync(marshalling, readFileSync(marshalling, 'utf8') + NULL);
  }
  const go = /^go .*$/m.exec(text)?.[0] ?? '';
  writeFileSync(join(packages, 'go.mod'), `module k8s.io/${NAME}\n\n${go}\n`);
  return target;
}

/** Downloads the release that contains the packages. @returns the folder of the release in Go's module cache */
function downloaded(environment: NodeJS.ProcessEnv): string {
  const args = ['mod', 'download', '-json', `${OLD}@${RELEASE}`];
  const output = execFileSync('go', args, { encoding: 'utf8', env: { ...environment, GOWORK: 'off' } });
  const { Dir, Sum } = JSON.parse(output) as { Dir: string; Sum: string };
  if (Sum !== CHECKSUM) throw new Error(`${OLD}@${RELEASE} has the checksum ${Sum}, not ${CHECKSUM}`);
  return Dir;
}

/** Copies the Go files below a folder, except for tests. The copies import the new module. */
function copy(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      if (entry.name !== 'clientset_test') copy(source, target);
    } else if (entry.name.endsWith('.go') && !entry.name.endsWith('_test.go') && !CONVERSIONS.includes(entry.name)) {
      mkdirSync(to, { recursive: true });
      writeFileSync(target, readFileSync(source, 'utf8').replaceAll(`"${OLD}/pkg/`, `"k8s.io/${NAME}/pkg/`));
    }
  }
}
