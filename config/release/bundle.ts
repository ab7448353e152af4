/**
 * Bundles the operator as one file, which is in the image beside Node. Bundles cappol as the files that npm installs.
 *
 * The bundles of the operator and of cappol contain all packages that the programs need. An installation therefore
 * downloads nothing else. The bundles keep the names of functions, so that stack traces are readable without a source
 * map. A source map would be twice the size of the program. LICENSES.txt contains the licence of each bundled package,
 * because most licences require a copy of the licence.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { argumentsOrExit } from '../../hack/options-or-exit.ts';
import { type Contents, contentsOf, mergeContents } from './contents.ts';
import { ROOT } from './output.ts';
import { bundlePage } from './page.ts';

/**
 * Defines `require` in a file of ES modules. Some CommonJS packages require Node's modules, but a file of ES modules
 * has no `require` by itself.
 */
const REQUIRE = "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);";

export interface Bundle extends Contents {
  /** The text of each file. The key is the file's name. */
  readonly files: ReadonlyMap<string, string>;
}

export function bundleOperator(): Promise<Bundle> {
  return bundle({ entryPoints: ['operator/main.ts'], target: thisNode(), format: 'esm' });
}

/**
 * The entry points of cappol. One is for the process. The second entry point is for the thread that the process can
 * start.
 */
const CAPPOL = ['cli/main.ts', 'cli/commands/check/evaluation-thread.ts'];

/**
 * Bundles cappol for npm. The code of each command is in separate files, so that only the code of the running command
 * is loaded. The page is in the same folder as the bundle. Expressions are written in their shortest form, which makes
 * the download smaller. Names and line breaks stay unchanged.
 */
export function bundleCappol(): Promise<Bundle> {
  return withPage(
    bundle({ entryPoints: CAPPOL, target: oldestNode(), format: 'esm', splitting: true, minifySyntax: true }),
  );
}

/**
 * Bundles cappol for an executable. The bundle has the page and two CommonJS files. In an executable, Node 24 runs only
 * CommonJS modules.
 */
export function bundleExecutable(): Promise<Bundle> {
  const programs = bundle({
    entryPoints: CAPPOL,
    target: thisNode(),
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    banner: {},
    // CommonJS has no import.meta.url. The code in an executable does not need import.meta.url.
    define: { 'import.meta.url': '""' },
  });
  return withPage(programs);
}

async function withPage(programs: Promise<Bundle>): Promise<Bundle> {
  const bundles = await Promise.all([programs, bundlePage()]);
  return { files: new Map(bundles.flatMap(({ files }) => [...files])), ...mergeContents(bundles) };
}

function thisNode(): string {
  return `node${process.versions.node.split('.')[0]}`;
}

function oldestNode(): string {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return engines.node.replace('>=', 'node');
}

/**
 * The modules of `@kubernetes/client-node` that only export other modules again, such as the list of all models. Other
 * packages have modules of these names, too.
 */
const LISTS = /^@kubernetes\/client-node$|^\.\/(?:.*\/)?(?:index|all|api|ObjectParamAPI)\.js$/;

/**
 * The modules of `@kubernetes/client-node` only define classes and functions, but its package.json does not say so.
 * Without this plugin, the bundles would contain the models of all kinds and the clients of all API groups. esbuild
 * asks the plugin about the lists only, because it takes ten times as long to ask about each of a thousand models.
 */
const UNUSED_MODELS: Plugin = {
  name: 'unused-models',
  setup({ onResolve, resolve }) {
    onResolve({ filter: LISTS }, async ({ path, ...from }) => {
      const isPart = /@kubernetes[/\\]client-node[/\\]dist/.test(from.resolveDir);
      if (from.pluginData === UNUSED_MODELS.name || (path.startsWith('.') && !isPart)) return undefined;
      const { importer, kind, resolveDir } = from;
      const found = await resolve(path, { importer, kind, resolveDir, pluginData: UNUSED_MODELS.name });
      return { ...found, sideEffects: false };
    });
  },
};

async function bundle(options: BuildOptions): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    outdir: ROOT,
    entryNames: '[name]',
    bundle: true,
    platform: 'node',
    outExtension: { '.js': '.mjs' },
    banner: { js: REQUIRE },
    // An import of `punycode` must load the npm package, because Node's own module `punycode` prints a deprecation
    // warning.
    alias: { punycode: './node_modules/punycode/punycode.es6.js' },
    plugins: [UNUSED_MODELS],
    legalComments: 'none',
    logLevel: 'warning',
    ...options,
    metafile: true,
    write: false,
  });
  return { files: new Map(outputFiles.map(({ path, text }) => [basename(path), text])), ...contentsOf(metafile) };
}

/** The licences and notices of the packages. @throws Error for a package without a licence text */
export function licenceTexts(packages: readonly string[]): string {
  return packages
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
      const files = readdirSync(join(ROOT, folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
      const texts = files.map((file) => readFileSync(join(ROOT, folder, file), 'utf8').trim());
      if (texts.length === 0) texts.push(licenceInReadme(folder));
      if (license === undefined) throw new Error(`${name} ${version} states no licence`);
      return [`${name} ${version} (${license})`, ...texts].join('\n\n');
    })
    .join(`\n\n${'-'.repeat(80)}\n\n`);
}

/**
 * The licence in the README of a package, because some packages have their licence text only at the end of their
 * README.
 */
function licenceInReadme(folder: string): string {
  const [readme] = readdirSync(join(ROOT, folder)).filter((file) => /^readme/i.test(file));
  const text = readme === undefined ? '' : readFileSync(join(ROOT, folder, readme), 'utf8');
  return /^(?:#+ )?licen[cs]e\s*\n(?:-+\n)?([\s\S]*)/im.exec(text)?.[1]?.trim() ?? '';
}

function writeBundle({ files, packages }: Bundle, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'LICENSES.txt'), `${licenceTexts(packages)}\n`);
}

if (import.meta.main) {
  const help = `Usage: node config/release/bundle.ts operator|cappol [FOLDER]

Bundles a program into FOLDER (default: dist/operator or dist/cappol). \`npm run build\` bundles cappol.

`;
  const { positionals } = argumentsOrExit('build', help, { allowPositionals: true });
  const [program = '', folder = join(ROOT, 'dist', program)] = positionals;
  const bundles: Readonly<Record<string, () => Promise<Bundle>>> = { operator: bundleOperator, cappol: bundleCappol };
  const bundled = await bundles[program]?.();
  if (!bundled) throw new Error(`no program ${JSON.stringify(program)}: write operator or cappol`);
  writeBundle(bundled, folder);
}
