/**
 * `npm run generate`: the licences of all that the operator and cappol bring along, as a page. Which ones may be is said
 * here; a test refuses others, so that nobody adds one unseen.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bundle, bundleOperator } from './bundle.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PAGE = join(ROOT, 'docs', 'reference', 'licences.md');

/** SPDX identifier → what it asks of whoever passes the package on. */
export const ALLOWED: Readonly<Record<string, string>> = {
  '0BSD': 'nothing',
  'Apache-2.0': 'its text and notices go along, changes are stated',
  'BSD-2-Clause': 'copyright and text go along',
  'BSD-3-Clause': 'copyright and text go along',
  'CC0-1.0': 'nothing',
  ISC: 'copyright and text go along',
  MIT: 'copyright and text go along',
  'PSF-2.0': 'copyright and text go along, changes are stated',
  Unlicense: 'nothing',
};

/** Package that the operator imports → why it is not code of our own. */
export const REASONS: Readonly<Record<string, string>> = {
  '@kubernetes/client-node': 'reads kubeconfigs and service account tokens, with each way to log in that they name',
  '@marcbachmann/cel-js': 'runs the CEL text of the rules, so that the status says what the API server does',
  'prom-client': 'writes metrics in the format of Prometheus, with those of the Node process',
  undici:
    'keeps connections to the API servers open, each with its certificates, which the fetch of Node cannot be given',
  winston: 'writes log lines as JSON or for people',
};

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
}

interface Lock {
  /** By path, as in `node_modules/yaml`; the project itself is ''. */
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface ProductionPackage {
  /** Below the project. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** As the package states it; undefined when it does not. */
  readonly licence: string | undefined;
}

export function readLock(): Lock {
  return JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
}

/** All that `npm ci --omit=dev` installs, by path. */
export function productionPackages({ packages }: Lock): ProductionPackage[] {
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, { version, license }]) => ({ path, name: nameOf(path), version, licence: license }));
}

/** One line for each package whose licence is not allowed, for people. */
export function refusedLicences(packages: readonly ProductionPackage[]): string[] {
  return packages
    .filter(({ licence }) => licence === undefined || !(licence in ALLOWED))
    .map(({ name, version, licence = 'none stated' }) => `${name} ${version}: ${licence}`);
}

/**
 * The page, in Markdown. Without versions, so that an update does not change it.
 *
 * @param operator the packages in the operator's file
 */
export function licencesPage(
  packages: readonly ProductionPackage[],
  operator: Pick<Bundle, 'packages' | 'imported'>,
): string {
  const sections = Object.entries(ALLOWED).map(([licence, asks]) => {
    const names = new Set(packages.filter((one) => one.licence === licence).map(({ name }) => `\`${name}\``));
    return `## ${licence}\n\nAsks: ${asks}.\n\n${[...names].sort().join(', ')}\n`;
  });
  return [INTRODUCTION, operatorSection(operator), ...sections].join('\n');
}

const INTRODUCTION = `# Licences

<!-- Written by \`npm run generate\` from package-lock.json. Do not edit. -->

CapabilityPolicy is under the Apache License 2.0. The operator's image and \`cappol\` contain the packages below. A package under
another licence fails the suite, until somebody allows the licence in \`config/release/licences.ts\`.
`;

function operatorSection({ packages, imported }: Pick<Bundle, 'packages' | 'imported'>): string {
  const listed = (paths: readonly string[]) => [...new Set(paths.map((path) => `\`${nameOf(path)}\``))].join(', ');
  const rows = [...imported].map(([path, brought]) => {
    const name = nameOf(path);
    return `| \`${name}\` | ${REASONS[name]} | ${listed(brought)} |`;
  });
  const brought = [...imported].flat(2);
  const others = packages.filter((one) => !brought.includes(one));
  if (others.length > 0) throw new Error(`nothing in the operator imports ${listed(others)}`);
  return [
    '## In the operator',
    '',
    'The image has Node, the operator as one file, and the licences of the packages in this file. The operator imports',
    '',
    '| package | what for | packages that come with it |',
    '|---|---|---|',
    ...rows,
    '',
    'All other packages below are only in `cappol`.',
    '',
  ].join('\n');
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

if (import.meta.main) writeFileSync(PAGE, licencesPage(productionPackages(readLock()), await bundleOperator()));
