/**
 * Writes the page with the licences of all packages that the operator and cappol contain, as a part of `npm run
 * generate`. A test fails if a package has a licence that this file does not allow. A new licence in the bundles is
 * therefore always noticed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bundle, bundleCappol, bundleOperator } from './bundle.ts';
import { ROOT } from './output.ts';

const PAGE = join(ROOT, 'docs', 'reference', 'licences.md');

/**
 * The allowed licences, by their SPDX identifiers. Each value says what a distributor of a package must do under the
 * licence.
 */
export const ALLOWED: Readonly<Record<string, string>> = {
  '0BSD': 'nothing',
  'Apache-2.0': 'include its text and notices, and state changes',
  'BSD-2-Clause': 'include the copyright and the text',
  'BSD-3-Clause': 'include the copyright and the text',
  'CC0-1.0': 'nothing',
  ISC: 'include the copyright and the text',
  MIT: 'include the copyright and the text',
  'PSF-2.0': 'include the copyright and the text, and state changes',
  Unlicense: 'nothing',
};

/**
 * The packages that the operator, cappol or its page imports. Each value says why the project does not use its own code
 * instead of the package.
 */
export const REASONS: Readonly<Record<string, string>> = {
  '@kubernetes-models/apimachinery': 'has the metadata of objects, to which the generated model of a policy refers',
  '@kubernetes-models/base': 'has the common base of the classes in the generated model',
  '@kubernetes-models/validate': 'compares a policy in a file with the schema of the CRD',
  '@codemirror/autocomplete': 'completes fields and values in the editors of the playground',
  '@codemirror/commands': 'has the key bindings and the history of these editors',
  '@codemirror/lang-yaml': 'reads the YAML in these editors',
  '@codemirror/language': 'colours the YAML',
  '@codemirror/lint': 'marks errors in the YAML',
  '@codemirror/state': 'holds the text of these editors',
  '@codemirror/view': 'shows the text of these editors',
  '@kubernetes/client-node': 'reads kubeconfigs and service account tokens, and supports each login method in them',
  '@marcbachmann/cel-js': 'evaluates the CEL of the rules, so that the status agrees with the API server',
  '@noble/hashes': 'computes SHA-256 in the page, because the names of compiled objects contain hashes',
  '@lezer/highlight': 'names the coloured parts of the YAML',
  commander: 'reads the command line, and prints its help',
  diff: 'finds the lines that differ, for `cappol render --diff`',
  'js-yaml': 'reads and writes YAML, fast',
  'junit-report-builder': 'writes the report of `cappol check -o junit`',
  'node-sarif-builder': 'writes the report of `cappol check -o sarif`',
  preact: 'shows the page of `cappol ui` and `cappol report`',
  'prom-client': 'writes metrics in the Prometheus format, including metrics of the Node process',
  undici:
    'keeps connections to the API servers open, and gives them certificates; the fetch of Node accepts no certificates',
  winston: 'writes log lines as JSON or for people',
  yaml: 'writes YAML with comments',
};

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

interface Lock {
  /** The packages by their paths, such as `node_modules/yaml`. The path of the project itself is ''. */
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface BundledPackage {
  /** The path of the package below the project. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** The licence that the package declares. If the package declares no licence, `licence` is undefined. */
  readonly licence: string | undefined;
  /** The names of other packages that this package uses if they are installed. */
  readonly optionalPeers: readonly string[];
}

export function readLock(): Lock {
  return JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
}

/** The packages that are in at least one of the bundles, sorted by path. */
export function bundledPackages({ packages }: Lock, ...bundles: readonly Pick<Bundle, 'packages'>[]): BundledPackage[] {
  const bundled = new Set(bundles.flatMap((one) => one.packages));
  return Object.entries(packages)
    .filter(([path]) => bundled.has(path))
    .map(([path, { version, license: licence, peerDependenciesMeta = {} }]) => {
      return { path, name: nameOf(path), version, licence, optionalPeers: Object.keys(peerDependenciesMeta) };
    });
}

/** The packages whose licence is not allowed, as lines for users. */
export function refusedLicences(packages: readonly BundledPackage[]): string[] {
  return packages
    .filter(({ licence }) => licence === undefined || !(licence in ALLOWED))
    .map(({ name, version, licence = 'none stated' }) => `${name} ${version}: ${licence}`);
}

/**
 * The page as Markdown. The page names no versions of packages. An update of a package therefore does not change the
 * page.
 *
 * @param operator the contents of the operator's bundle
 * @param cappol the contents of cappol's bundle
 */
export function licencesPage(
  packages: readonly BundledPackage[],
  { operator, cappol }: Readonly<Record<'operator' | 'cappol', Contents>>,
): string {
  const sections = Object.entries(ALLOWED).flatMap(([licence, asks]) => {
    const names = new Set(packages.filter((one) => one.licence === licence).map(({ name }) => `\`${name}\``));
    return names.size === 0 ? [] : [`## ${licence}\n\nAsks: ${asks}.\n\n${[...names].sort().join(', ')}\n`];
  });
  const programs = [
    programSection(
      'In the operator',
      'The image contains the operator as one file. The file contains these packages:',
      operator,
    ),
    programSection(
      'In cappol',
      'The npm package, the image and the executables of `cappol` have the same files. The files, with the page, contain these packages:',
      cappol,
    ),
  ];
  return [INTRODUCTION, ...programs, ...sections].join('\n');
}

type Contents = Pick<Bundle, 'packages' | 'imported'>;

const INTRODUCTION = `# Licences

<!-- Written by \`npm run generate\` from package-lock.json. Do not edit. -->

CapabilityPolicy is under the Apache License 2.0. The operator and \`cappol\` contain the packages below. A package under
another licence fails the suite, until somebody allows the licence in \`config/release/licences.ts\`.
`;

function programSection(title: string, what: string, { packages, imported }: Contents): string {
  const listed = (paths: readonly string[]) => [...new Set(paths.map((path) => `\`${nameOf(path)}\``))].join(', ');
  const rows = [...imported].map(([path, brought]) => {
    const name = nameOf(path);
    return `| \`${name}\` | ${REASONS[name]} | ${listed(brought)} |`;
  });
  const brought = [...imported].flat(2);
  const others = packages.filter((one) => !brought.includes(one));
  if (others.length > 0) throw new Error(`nothing of our own imports ${listed(others)}`);
  return [
    `## ${title}`,
    '',
    what,
    '',
    '| imported package | purpose | packages that it brings along |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

if (import.meta.main) {
  const [operator, cappol] = await Promise.all([bundleOperator(), bundleCappol()]);
  writeFileSync(PAGE, licencesPage(bundledPackages(readLock(), operator, cappol), { operator, cappol }));
}
