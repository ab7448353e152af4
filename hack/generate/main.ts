/**
 * Makes files from their sources, by `npm run generate`. From the CRDs in crds/, the script makes the model classes in
 * operator/api/generated/ and the reference page of the API. From operator/rules/, cli/ and analysis/observe/, the
 * script makes the reference pages of the rules and of the commands, and the manifests of the observer. The script also
 * writes three tables: the decision records in docs/README.md, the controls in docs/compliance.md, and the Kubernetes
 * versions in docs/operations.md. Pages show outputs of programs. In the outputs that pages show, the script replaces
 * the Kubernetes version by the newest version. The script then runs the other generators.
 *
 * The test suite runs `--check`, and so fails if a generated file is out of date.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import { RULES } from '../../operator/rules/index.ts';
import { argumentsOrExit } from '../options-or-exit.ts';
import { apiReference, type Crd } from './api-reference.ts';
import { commandReference } from './command-reference.ts';
import { controlsTable } from './controls-table.ts';
import { decisionOf, decisionsTable } from './decisions.ts';
import { jsonSchema } from './json-schema.ts';
import { withPart } from './markdown.ts';
import { withNewestVersion } from './newest-version.ts';
import { observerManifests } from './observer-manifests.ts';
import { rulesReference } from './rules-reference.ts';
import { versionsTable } from './versions-table.ts';

/** The text of each file. The key is the file's path below the output directory. */
type Files = ReadonlyMap<string, string>;

const ROOT = join(import.meta.dirname, '..', '..');
const CRDS = join(ROOT, 'crds');
const GENERATED = join(ROOT, 'operator', 'api', 'generated');
const API_PAGE = join(ROOT, 'docs', 'reference', 'api.md');
const RULES_PAGE = join(ROOT, 'docs', 'reference', 'rules.md');
const COMMANDS_PAGE = join(ROOT, 'docs', 'reference', 'cappol.md');
const OPERATIONS_PAGE = join(ROOT, 'docs', 'operations.md');
const COMPLIANCE_PAGE = join(ROOT, 'docs', 'compliance.md');
const INDEX_PAGE = join(ROOT, 'docs', 'README.md');
const DECISIONS = join(ROOT, 'docs', 'decisions');
const OBSERVER = join(ROOT, 'config', 'observe');
const JSON_SCHEMA = join(ROOT, 'docs', 'reference', 'capabilitypolicy.schema.json');
const CRD_GENERATE = join(ROOT, 'node_modules', '.bin', 'crd-generate');

/** The generators that other tests check. Each is a process, because it may import what this script writes. */
const OTHER_GENERATORS = ['config/helm/generate.ts', 'config/release/licences.ts', 'test/architecture/table.ts'];

const HELP = `Usage: npm run generate -- [options]

Writes all generated files and texts.

  --check     write nothing, name each file of hack/generate that is out of date, and exit with 1 if there is one
`;

const { values } = argumentsOrExit('generate', HELP, { options: { check: { type: 'boolean' } } });

process.exitCode = values.check ? await check() : await write();

async function check(): Promise<number> {
  const pages = [...(await referencePages())].map(async ([path, text]) => {
    const found = await readFile(path, 'utf8').catch(() => '');
    return found === text ? [] : [`stale: ${relative(ROOT, path)}`];
  });
  const stale = [
    ...differences(await generatedFiles(), await readFiles(GENERATED)),
    ...(await Promise.all(pages)).flat(),
  ];
  for (const difference of stale) process.stderr.write(`${difference}\n`);
  if (stale.length > 0) process.stderr.write('Generated files are stale: run `npm run generate`.\n');
  return stale.length > 0 ? 1 : 0;
}

async function write(): Promise<number> {
  const files = await generatedFiles();
  await rm(GENERATED, { recursive: true, force: true });
  for (const [path, text] of files) {
    await mkdir(dirname(join(GENERATED, path)), { recursive: true });
    await writeFile(join(GENERATED, path), text);
  }
  for (const [path, text] of await referencePages()) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  for (const generator of OTHER_GENERATORS) {
    execFileSync(process.execPath, [join(ROOT, generator)], { stdio: 'inherit' });
  }
  return 0;
}

async function referencePages(): Promise<Files> {
  return new Map([
    [API_PAGE, apiReference(await crd())],
    [RULES_PAGE, rulesReference(RULES)],
    [COMMANDS_PAGE, await commandReference()],
    [JSON_SCHEMA, jsonSchema(await crd())],
    ...(await writtenPages()),
    ...Object.entries(observerManifests()).map(([name, text]) => [join(OBSERVER, name), text] as const),
  ]);
}

/**
 * Reads the pages that people write. The pages contain generated parts and outputs of programs. The function leaves out
 * decision records, the changelog and measurements. The pages that the function leaves out show no outputs of the
 * newest release.
 */
async function writtenPages(): Promise<[path: string, text: string][]> {
  const parts: Readonly<Record<string, (page: string) => string | Promise<string>>> = {
    [INDEX_PAGE]: async (page) => withPart(page, 'docs/decisions/', await decisions()),
    [COMPLIANCE_PAGE]: (page) => withPart(page, 'analysis/controls/', controlsTable()),
    [OPERATIONS_PAGE]: (page) => withPart(page, 'hack/controlplane/versions/', versionsTable()),
  };
  const names = (await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md'));
  const paths = [join(ROOT, 'README.md'), ...names.sort().map((name) => join(ROOT, 'docs', name))];
  return Promise.all(
    paths.map(async (path): Promise<[string, string]> => {
      const page = await readFile(path, 'utf8');
      return [path, withNewestVersion((await parts[path]?.(page)) ?? page)];
    }),
  );
}

async function decisions(): Promise<string> {
  const files = (await readdir(DECISIONS)).sort();
  const texts = files.map(async (file) => decisionOf(file, await readFile(join(DECISIONS, file), 'utf8')));
  return decisionsTable(await Promise.all(texts), 'decisions');
}

/** The differences. Each line names a file that is missing, that differs, or that should not exist. */
function differences(wanted: Files, found: Files): string[] {
  const name = (path: string) => relative(ROOT, join(GENERATED, path));
  const stale = [...wanted].flatMap(([path, text]) => {
    if (!found.has(path)) return [`missing: ${name(path)}`];
    return found.get(path) === text ? [] : [`stale: ${name(path)}`];
  });
  const extra = [...found.keys()].filter((path) => !wanted.has(path)).map((path) => `not generated: ${name(path)}`);
  return [...stale, ...extra];
}

async function generatedFiles(): Promise<Files> {
  const scratch = await mkdtemp(join(tmpdir(), 'crd-generate-'));
  try {
    const [input, output] = [join(scratch, 'crd.json'), join(scratch, 'model')];
    await writeFile(input, JSON.stringify(withoutHints(await crd())));
    // crd-generate runs in a separate process. Node cannot load the ES modules of the package crd-generate. The package
    // also logs each file that the package writes.
    await promisify(execFile)(process.execPath, [CRD_GENERATE, '--input', input, '--output', output]);
    const raw = await readFiles(output);
    const model = [...raw].map(
      ([path, text]) => [path, path.endsWith('.ts') ? forPlainNode(path, text) : text] as const,
    );
    return new Map([...model, ['schema.json', await schema()]]);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * The schema of a policy with its CEL rules, as JSON. The JSON has no descriptions, because people read the CRD
 * instead.
 */
async function schema(): Promise<string> {
  const { spec } = withoutHints(await crd());
  const text = JSON.stringify(spec.versions[0].schema.openAPIV3Schema, (key, value) =>
    key === 'description' && typeof value === 'string' ? undefined : value,
  );
  return `${text}\n`;
}

/**
 * Removes `anyOf` from the CRD. In the CRD, `anyOf` admits every string. If a value is not a string, `anyOf` adds a
 * hint to the API server's error message.
 */
function withoutHints(source: Crd): Crd {
  return JSON.parse(JSON.stringify(source, (key, value) => (key === 'anyOf' ? undefined : value))) as Crd;
}

async function crd(): Promise<Crd> {
  const [file = ''] = await crdFiles();
  return load(await readFile(file, 'utf8')) as Crd;
}

async function crdFiles(): Promise<string[]> {
  const names = await readdir(CRDS);
  return names
    .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
    .sort()
    .map((name) => join(CRDS, name));
}

/** Reads all files below a directory. @returns the texts of the files by path */
async function readFiles(directory: string): Promise<Files> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((error) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = paths.sort().map(async (path) => [relative(directory, path), await readFile(path, 'utf8')] as const);
  return new Map(await Promise.all(files));
}

/**
 * Changes generated code so that Node can run it. The tool crd-generate writes code for bundlers. In the generated
 * code, imports have no file extension, and types are imported as values. A generated constructor would reset the
 * fields of an object. Node's type stripping does not change imports and fields. TypeScript's `strict` requires that
 * fields are initialised.
 */
function forPlainNode(path: string, text: string): string {
  if (path.startsWith('_schemas/')) return `${text.trimEnd()}\n`;
  return text
    .replace(/(from "\.{1,2}\/[^"]*_schemas\/[^"]+)"/g, '$1.js"')
    .replace(/(from "\.{1,2}\/[^"]+(?<!\.js))"/g, '$1.ts"')
    .replace(/^import (\{ (?:IObjectMeta|ValidateFunc) \})/gm, 'import type $1')
    .replace(/^(import \{.*)\bModelData\b/gm, '$1type ModelData')
    .replace(/^ {2}("\w+"\??: I\w+\["\w+"\];)$/gm, '  declare $1')
    .replace(/^(static|constructor)/gm, '  $1');
}
