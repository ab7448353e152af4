/**
 * `npm run release:sbom` lists the contents of the image, except for Node. The output is CycloneDX JSON. npm makes the list from package-lock.json. The script does not use `--omit=dev`.
 * With this option, npm 11.19 also omits packages that the operator needs, if development needs them, too.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleOperator } from './bundle.ts';
import { type BundledPackage, bundledPackages, readLock } from './licences.ts';
import { outputFolder, ROOT } from './output.ts';

interface Component {
  readonly 'bom-ref': string;
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly unknown[];
  readonly licenses?: readonly unknown[];
}

/** The fields of CycloneDX that this script uses (https://cyclonedx.org/docs/1.5/json/). */
export interface Sbom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** The SBOM of all packages in package-lock.json. @throws npm's error; npm has this command since npm 10 */
function sbomOfAll(): Sbom {
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
  return JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 }));
}

/**
 * The part of the SBOM that describes the packages in the image.
 *
 * @param name the name of the project; by default, npm uses the name of the folder
 */
function shipped(sbom: Sbom, name: string, packages: readonly BundledPackage[]): Sbom {
  const wanted = new Set(packages.map(refOf));
  const components = sbom.components.filter((one) => wanted.has(refOf(one)));
  const component = { ...sbom.metadata.component, name };
  const refs = new Set([component, ...components].map((one) => one['bom-ref']));
  const optional = optionalPeers(packages);
  const dependencies = sbom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({
      ref,
      dependsOn: [...new Set([...dependsOn, ...(optional.get(ref) ?? [])])].filter((one) => refs.has(one)),
    }));
  return { ...sbom, metadata: { ...sbom.metadata, component }, components, dependencies };
}

/**
 * The optional peer dependencies of each package. npm's SBOM does not list optional peers among the package's
 * dependencies.
 */
function optionalPeers(packages: readonly BundledPackage[]): Map<string, string[]> {
  return new Map(
    packages.map((one) => [
      refOf(one),
      packages.filter(({ name }) => one.optionalPeers.includes(name)).map((peer) => refOf(peer)),
    ]),
  );
}

function refOf({ name, version }: Pick<BundledPackage, 'name' | 'version'>): string {
  return `${name}@${version}`;
}

if (import.meta.main) {
  const folder = outputFolder('release:sbom', 'Lists the contents of the image, except for Node, as CycloneDX JSON.');
  const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const packages = bundledPackages(readLock(), await bundleOperator());
  const text = JSON.stringify(shipped(sbomOfAll(), name, packages), null, 2);
  writeFileSync(join(folder, `${name}-${version}.cdx.json`), `${text}\n`);
}
