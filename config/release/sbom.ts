/**
 * `npm run release:sbom -- [--out FOLDER]`: the contents of the image besides Node, as CycloneDX JSON. npm makes it,
 * from package-lock.json. Does not use `--omit=dev`: that also omits packages that development needs, too (npm 11.19).
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

/** The fields that are used here: https://cyclonedx.org/docs/1.5/json/ */
export interface Sbom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** @throws npm's error; npm 10 is the first version that can do it */
function sbomOfAll(): Sbom {
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
  return JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 }));
}

/** @param name of the project: npm uses that of the folder */
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

/** The packages that use another package only if it is installed: npm does not list these dependencies. */
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
  const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const packages = bundledPackages(readLock(), await bundleOperator());
  const text = JSON.stringify(shipped(sbomOfAll(), name, packages), null, 2);
  writeFileSync(join(outputFolder(), `${name}-${version}.cdx.json`), `${text}\n`);
}
