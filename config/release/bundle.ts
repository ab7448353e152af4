/**
 * The operator as one file, which is in the image beside Node: `node config/release/bundle.ts [FOLDER]`
 * (dist/operator).
 *
 * The text stays readable: a stack trace names the functions of the source, so no source map is needed, which would be
 * twice the size of the program. Each package in the file has its licence in LICENSES.txt, which most licences ask for.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '..', '..');
const TARGET = `node${process.versions.node.split('.')[0]}`;
/** Some packages are CommonJS and require Node's modules, which a file of ES modules cannot do by itself. */
const REQUIRE = "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);";

export interface Bundle {
  readonly text: string;
  /** The folders of the bundled packages, below the project, sorted. */
  readonly packages: readonly string[];
  /** The packages that the operator's own code imports → the others in the file that each of them brings, sorted. */
  readonly imported: ReadonlyMap<string, readonly string[]>;
  /** The project's own files in the bundle. */
  readonly sources: readonly string[];
}

export async function bundleOperator(): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['operator/main.ts'],
    outfile: 'main.mjs',
    bundle: true,
    platform: 'node',
    target: TARGET,
    format: 'esm',
    banner: { js: REQUIRE },
    // `ws` tries to load them, and works without.
    external: ['bufferutil', 'utf-8-validate'],
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  const [output = { inputs: {} }] = Object.values(metafile.outputs);
  const inputs = Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const folders = inputs.map(([path]) => packageOf(path));
  const sources = inputs.map(([path]) => path).filter((path) => packageOf(path) === undefined);
  const importedBy = (paths: readonly string[]) =>
    distinct(paths.flatMap((path) => metafile.inputs[path]?.imports ?? []).map(({ path }) => packageOf(path)));
  const filesOf = Map.groupBy(
    inputs.map(([path]) => path),
    packageOf,
  );
  const reached = (folder: string, known = new Set<string>()): Set<string> => {
    for (const next of importedBy(filesOf.get(folder) ?? [])) {
      if (!known.has(next) && filesOf.has(next)) reached(next, known.add(next));
    }
    return known;
  };
  return {
    text: outputFiles[0]?.text ?? '',
    packages: distinct(folders),
    imported: new Map(
      importedBy(sources).map((folder) => [folder, [...reached(folder)].filter((one) => one !== folder).sort()]),
    ),
    sources,
  };
}

/** The licences of the packages, and their notices. @throws Error for a package that brings no licence */
export function licenceTexts(packages: readonly string[]): string {
  return packages
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
      const files = readdirSync(join(ROOT, folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
      const texts = files.map((file) => readFileSync(join(ROOT, folder, file), 'utf8').trim());
      if (license === undefined) throw new Error(`${name} ${version} states no licence`);
      return [`${name} ${version} (${license})`, ...texts].join('\n\n');
    })
    .join(`\n\n${'-'.repeat(80)}\n\n`);
}

function distinct(folders: readonly (string | undefined)[]): string[] {
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

/** `node_modules/@a/b/c.js`: `node_modules/@a/b`; for nested packages the innermost. */
function packageOf(path: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

if (import.meta.main) {
  const folder = process.argv[2] ?? join(ROOT, 'dist', 'operator');
  const { text, packages } = await bundleOperator();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'main.mjs'), text);
  writeFileSync(join(folder, 'LICENSES.txt'), `${licenceTexts(packages)}\n`);
}
