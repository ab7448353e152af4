/** The borders between the operator's folders: who may import whom, and what the pure ones must not know of. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, sep } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const OPERATOR = join(ROOT, 'operator');
const SOURCE_FOLDERS = ['operator', 'config', 'test'];

/** Folder of the operator → the folders, or single files of folders, that it may import besides itself. */
const BORDERS: Readonly<Record<string, readonly string[]>> = {
  api: [],
  model: [],
  standards: [],
  runtime: [],
  rules: ['api', 'standards'],
  policy: ['api', 'standards', 'rules'],
  compile: ['api', 'model', 'standards', 'rules', 'policy'],
  evaluate: ['api', 'model', 'standards', 'rules', 'policy', 'compile', 'cluster/objects.ts'],
  migrate: ['api', 'standards', 'policy', 'compile'],
  cluster: ['api', 'model', 'rules', 'runtime'],
  apply: ['api', 'policy', 'compile', 'cluster', 'runtime'],
  report: [
    'api',
    'model',
    'standards',
    'policy',
    'compile',
    'evaluate',
    'cluster/objects.ts',
    'cluster/client.ts',
    'cluster/raw.ts',
    'cluster/reports.ts',
    'apply',
    'runtime',
  ],
  controllers: [
    'api',
    'runtime',
    'policy',
    'evaluate',
    'cluster/objects.ts',
    'cluster/client.ts',
    'cluster/reports.ts',
    'apply',
    'report',
    'cluster-state.ts',
  ],
  // operator.ts, main.ts and flags.ts wire the folders; cluster-state.ts is what the controllers share.
  '': [
    'api',
    'standards',
    'runtime',
    'rules',
    'policy',
    'compile',
    'evaluate',
    'cluster',
    'apply',
    'report',
    'controllers',
  ],
  // Another end of the same pipeline: it reads files or a cluster, and writes text.
  cli: [
    'api',
    'model',
    'standards',
    'runtime/log.ts',
    'rules',
    'policy',
    'compile',
    'evaluate',
    'migrate',
    'cluster',
    'apply/drift.ts',
    'apply/standing.ts',
    'report/text.ts',
    'report/violations.ts',
    'cluster-state.ts',
    'namespaces.ts',
    '../package.json',
  ],
};

/** The packages that a folder may import; all that is not listed here may import none. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  runtime: ['prom-client', 'winston'],
  evaluate: ['@marcbachmann/cel-js'],
  cluster: ['@kubernetes/client-node', 'undici'],
  cli: ['@marcbachmann/cel-js', 'commander', 'diff', 'js-yaml', 'junit-report-builder', 'node-sarif-builder', 'yaml'],
};

/** The modules of Node that the pure folders may import. */
const PURE_MODULES = ['node:crypto'];

/** Who may talk to an API server. */
const MAY_USE_CLIENT = [
  'cluster/',
  'apply/',
  'report/recorder.ts',
  'report/writer.ts',
  'report/policy-report-writer.ts',
  'controllers/controller.ts',
  'controllers/rulesets.ts',
  'operator.ts',
  'main.ts',
  'cli/cluster.ts',
];
/** Loading it costs half a second and 85 MB. */
const MAY_USE_CLIENT_NODE = ['cluster/'];

/** Same input, same output: they know no clock, no chance, no process. */
const PURE = ['model', 'standards', 'rules', 'policy', 'compile', 'evaluate', 'migrate'];
const IMPURE = /\b(?:Date\.now|new Date|performance\.now|Math\.random|setTimeout|setInterval|process|console)\b/;

const PROCESS = /(?<![.\w])process\./;
const MAY_READ_PROCESS = ['main.ts', 'cli/'];

/** What makes operator/api/generated/ and is no part of the operator. */
const SCRIPTS = ['api/generate.ts'];

interface Source {
  /** Below operator/, with slashes. */
  readonly path: string;
  readonly folder: string;
  /** Without comments. */
  readonly code: string;
}

const SOURCES: readonly Source[] = readdirSync(OPERATOR, { recursive: true, encoding: 'utf8' })
  .map((path) => path.split(sep).join('/'))
  .filter((path) => path.endsWith('.ts') && !path.startsWith('api/generated/') && !SCRIPTS.includes(path))
  .sort()
  .map((path) => ({
    path,
    folder: folderOf(path),
    code: withoutComments(readFileSync(join(OPERATOR, path), 'utf8')),
  }));

describe('the architecture', () => {
  it('has a border for each folder, and for no other', () => {
    const folders = [...new Set(SOURCES.map(({ folder }) => folder))];
    assert.deepEqual(folders.sort(), Object.keys(BORDERS).sort());
  });

  for (const [folder, allowed] of Object.entries(BORDERS)) {
    it(`${folder || 'operator'}/ imports only from ${allowed.join(', ') || 'itself'}`, () => {
      const wrong = importsOf(folder)
        .filter(({ target }) => target.startsWith('.'))
        .map(({ source, target }) => ({ source, file: join(dirname(source), target).split(sep).join('/') }))
        .filter(
          ({ file }) => folderOf(file) !== folder && ![folderOf(file), file].some((one) => allowed.includes(one)),
        );
      assert.deepEqual(wrong, []);
    });

    it(`${folder || 'operator'}/ uses only the packages ${PACKAGES[folder]?.join(', ') ?? 'none'}`, () => {
      const modules = PURE.includes(folder) ? PURE_MODULES : builtinModules.map((name) => `node:${name}`);
      const wrong = importsOf(folder)
        .filter(({ target }) => !target.startsWith('.'))
        .filter(({ target }) => !PACKAGES[folder]?.includes(target) && !modules.includes(target));
      assert.deepEqual(wrong, []);
    });
  }

  for (const folder of PURE) {
    it(`${folder}/ knows no clock, no chance and no process`, () => {
      const wrong = SOURCES.filter((source) => source.folder === folder).flatMap(({ path, code }) => {
        const found = IMPURE.exec(withoutTexts(code));
        return found ? [`${path}: ${found[0]}`] : [];
      });
      assert.deepEqual(wrong, []);
    });
  }

  it('only those who read, write and wire talk to the API server', () => {
    assert.deepEqual(importersOf(/\/cluster\/(?:client|transport|connection)\.ts$/, MAY_USE_CLIENT), []);
    assert.deepEqual(importersOf(/^@kubernetes\/client-node$|^undici$/, MAY_USE_CLIENT_NODE), []);
  });

  it('only main.ts and cli/ read the process', () => {
    const reading = SOURCES.filter(({ code }) => PROCESS.test(withoutTexts(code))).map(({ path }) => path);
    assert.deepEqual(
      reading.filter((path) => !MAY_READ_PROCESS.some((allowed) => path.startsWith(allowed))),
      [],
    );
  });

  it('no file imports itself by way of others', () => {
    assert.deepEqual(circles(importGraph()), []);
  });

  it('a controller imports no other controller', () => {
    const wrong = importsOf('controllers').filter(
      ({ target }) => target.startsWith('./') && target !== './controller.ts',
    );
    assert.deepEqual(wrong, []);
  });

  it('no other folder knows a rule by its name', () => {
    assert.deepEqual(importersOf(/\/rules\/(?!index|rule|cel|severity)/, ['rules/']), []);
  });
});

/** Files beyond the allowed ones that import something like this. */
function importersOf(target: RegExp, allowed: readonly string[]): string[] {
  return SOURCES.filter(({ path }) => !allowed.some((one) => path.startsWith(one)))
    .filter(({ code }) => targetsIn(code).some((one) => target.test(one)))
    .map(({ path }) => path);
}

function importsOf(folder: string): { source: string; target: string }[] {
  return SOURCES.filter((source) => source.folder === folder).flatMap(({ path, code }) =>
    targetsIn(code).map((target) => ({ source: path, target })),
  );
}

function targetsIn(code: string): string[] {
  const statements = code.matchAll(/^\s*(?:import|export)\s(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm);
  const calls = code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g);
  return [...statements, ...calls].map(([, target = '']) => target);
}

/** Files of the repository, below its root → the files that they import, types included. */
function importGraph(): ReadonlyMap<string, readonly string[]> {
  const files = SOURCE_FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  ).filter((path) => path.endsWith('.ts') && !path.includes(join('api', 'generated')));
  return new Map(
    files.sort().map((path) => {
      const targets = targetsIn(withoutComments(readFileSync(join(ROOT, path), 'utf8')));
      return [path, targets.filter((target) => target.startsWith('.')).map((target) => join(dirname(path), target))];
    }),
  );
}

/** One circle for each file that closes one: `a.ts → b.ts → a.ts`. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start !== -1) found.push([...path.slice(start), file].join(' → '));
    if (start !== -1 || done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

/** `rules` of rules/seccomp.ts; empty of what stands in operator/ itself. */
function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

function withoutTexts(code: string): string {
  return code.replaceAll(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, "''");
}
