/**
 * Tests the borders of folders.ts. A folder may import only the folders in its entry. Pure folders must not use certain
 * modules.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, sep } from 'node:path';
import {
  API_CLIENTS,
  CLIENT_LOADERS,
  FOLDERS,
  type Folder,
  folderOf,
  isIn,
  PROCESS_READERS,
  PURE_MODULES,
} from './folders.ts';
import { PAGE, withTable } from './table.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SOURCE_FOLDERS = ['engine', 'operator', 'analysis', 'cli', 'ui', 'hack', 'config', 'test'];

const IMPURE =
  /\b(?:Date\.now|new Date(?!\(\w)|performance\.now|Math\.random|setTimeout|setInterval|process|console)\b/;

/** Files in the folder of controllers that every controller may import. */
const SHARED = ['./outcomes.ts', './controller.ts', './cluster-state.ts', './state-change.ts'];

/**
 * The files that may import single rules. The file holdable.ts combines three rules into the capabilities that a
 * container may hold.
 */
const RULE_READERS = ['operator/rules', 'analysis/capabilities/holdable.ts'];

const PROCESS = /(?<![.\w])process\./;
const PROCESS_MODULES = /^node:(?:process|tty)$/;

interface Source {
  /** The path relative to the project's folder, with slashes. */
  readonly path: string;
  readonly folder: Folder | undefined;
  /** The code of the file, without its comments. */
  readonly code: string;
}

const SOURCES: readonly Source[] = SOURCE_FOLDERS.flatMap(filesIn).map((path) => ({
  path,
  folder: folderOf(path),
  code: withoutComments(readFileSync(join(ROOT, path), 'utf8')),
}));

/** The source files of the product. All other source files serve to build and test the product. */
const PRODUCT = SOURCES.filter(({ path }) => isIn(path, ['engine', 'operator', 'analysis', 'cli', 'ui']));

describe('the architecture', () => {
  it('the list has each folder of engine/, operator/ and analysis/, and each folder in the list exists', () => {
    const folders = SOURCES.map(({ path, folder }) =>
      isIn(path, ['engine', 'operator', 'analysis']) ? dirname(path).split('/').slice(0, 2).join('/') : folder?.path,
    );
    const listed = FOLDERS.map(({ path }) => path);
    assert.deepEqual([...new Set(folders).symmetricDifference(new Set(listed))], []);
  });

  it('docs/architecture.md shows the table of folders that this test enforces', () => {
    const page = readFileSync(PAGE, 'utf8');
    assert.equal(page, withTable(page), 'run `npm run generate`');
  });

  it('each folder imports only from folders above it in the list', () => {
    const above = (one: string, index: number) => {
      const folder = FOLDERS.find(({ path }) => path === one) ?? folderOf(one);
      return folder === undefined || FOLDERS.indexOf(folder) < index;
    };
    const wrong = FOLDERS.flatMap(({ path, imports }, index) =>
      imports.filter((one) => !above(one, index)).map((one) => `${path} → ${one}`),
    );
    assert.deepEqual(wrong, []);
  });

  for (const folder of FOLDERS) {
    const { path, imports, packages } = folder;
    it(`${path}/ imports only from ${imports.join(', ') || 'itself'}`, () => {
      const wrong = importsOf(folder)
        .filter(({ target }) => target.startsWith('.'))
        .map(({ source, target }) => ({ source, file: resolvedFrom(source, target) }))
        .filter(({ file }) => folderOf(file) !== folder && !isIn(file, imports));
      assert.deepEqual(wrong, []);
    });

    it(`${path}/ uses only the packages ${packages.join(', ') || 'none'}`, () => {
      const isAllowed = (name: string) => (folder.pure ? PURE_MODULES.includes(name) : isBuiltin(name));
      const wrong = importsOf(folder)
        .filter(({ target }) => !target.startsWith('.'))
        .filter(({ target }) => !isIn(target, packages) && !isAllowed(target));
      assert.deepEqual(wrong, []);
    });

    it(`${path}/ lists nothing that it does not use`, () => {
      const targets = importsOf(folder).map(({ source, target }) => resolvedFrom(source, target));
      const unused = (listed: readonly string[]) => listed.filter((one) => !targets.some((used) => isIn(used, [one])));
      assert.deepEqual([...unused(imports), ...unused(packages)], []);
    });
  }

  for (const folder of FOLDERS.filter(({ pure }) => pure)) {
    it(`${folder.path}/ uses no clock, no random numbers and no process`, () => {
      const wrong = SOURCES.filter((source) => source.folder === folder).flatMap(({ path, code }) => {
        const found = IMPURE.exec(withoutTexts(code));
        return found ? [`${path}: ${found[0]}`] : [];
      });
      assert.deepEqual(wrong, []);
    });
  }

  it('a pure folder imports only pure folders, and the API model', () => {
    const pure = ['operator/api', ...FOLDERS.filter((folder) => folder.pure).map(({ path }) => path)];
    const wrong = FOLDERS.filter((folder) => folder.pure).flatMap(({ path, imports }) =>
      imports.filter((one) => !isIn(one, pure)).map((one) => `${path} → ${one}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('analysis/ is pure', () => {
    const folders = FOLDERS.filter(({ path }) => isIn(path, ['analysis']));
    assert.ok(folders.length > 0 && folders.every(({ pure }) => pure));
  });

  it('only the listed folders talk to the API server or load an API client', () => {
    assert.deepEqual(importersOf(/\/cluster\/(?:client|transport|connection)\.ts$/, API_CLIENTS), []);
    assert.deepEqual(importersOf(/^@kubernetes\/client-node$|^undici$/, CLIENT_LOADERS), []);
  });

  it(`only ${PROCESS_READERS.join(' and ')} read the process`, () => {
    const reading = PRODUCT.filter(({ code }) => PROCESS.test(withoutTexts(code))).map(({ path }) => path);
    assert.deepEqual(
      reading.filter((path) => !isIn(path, PROCESS_READERS)),
      [],
    );
    assert.deepEqual(importersOf(PROCESS_MODULES, PROCESS_READERS), []);
  });

  it('a controller imports no other controller', () => {
    const controllers = SOURCES.filter(({ path }) => path.startsWith('operator/controllers/')).flatMap(imported);
    const wrong = controllers.filter(({ target }) => target.startsWith('./') && !SHARED.includes(target));
    assert.deepEqual(wrong, []);
  });

  it('main.ts imports every file of the operator, directly or indirectly, except the API model', () => {
    const reached = reachedFrom(['operator/main.ts']);
    const files = [...importGraph().keys()].filter((path) => isIn(path, ['operator']) && !isIn(path, ['operator/api']));
    assert.deepEqual(
      files.filter((path) => !reached.has(path)),
      [],
    );
  });

  it('the page reaches no file of cli/', () => {
    const page = [...importGraph().keys()].filter((path) => isIn(path, ['ui']));
    assert.deepEqual(
      [...reachedFrom(page)].filter((path) => isIn(path, ['cli'])),
      [],
    );
  });

  it('no file imports itself through others', () => {
    assert.deepEqual(circles(importGraph()), []);
  });

  it('no other folder names a rule', () => {
    assert.deepEqual(
      importersOf(/\/rules\/(?!index|rule|cel|condition|values|severity|size|token-volume)/, RULE_READERS),
      [],
    );
  });
});

/** The files of the product that import a module with a matching name. The result lacks the allowed files. */
function importersOf(target: RegExp, allowed: readonly string[]): string[] {
  return PRODUCT.filter(({ path }) => !isIn(path, allowed))
    .filter(({ code }) => targetsIn(code).some((one) => target.test(one)))
    .map(({ path }) => path);
}

interface Import {
  readonly source: string;
  readonly target: string;
}

function importsOf(folder: Folder): Import[] {
  return SOURCES.filter((source) => source.folder === folder).flatMap(imported);
}

function imported({ path, code }: Source): Import[] {
  return targetsIn(code).map((target) => ({ source: path, target }));
}

function targetsIn(code: string): string[] {
  const statements = code.matchAll(/^\s*(?:import|export)\s(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm);
  const calls = code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g);
  // A template for generated code contains imports with `${…}`. These imports belong to the generated code, not to the
  // file with the template.
  return [...statements, ...calls].map(([, target = '']) => target).filter((target) => !target.includes('${'));
}

/** The files of a folder and of its subfolders. */
function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path).split(sep).join('/'))
    .filter((path) => /\.tsx?$/.test(path))
    .sort();
}

/**
 * Maps each file of the repository to its imported files. Imports of types are included. Paths are relative to the root
 * of the repository.
 */
function importGraph(): ReadonlyMap<string, readonly string[]> {
  return new Map(
    SOURCES.map((source) => {
      const targets = imported(source).filter(({ target }) => target.startsWith('.'));
      return [source.path, targets.map(({ target }) => resolvedFrom(source.path, target))];
    }),
  );
}

/** The given files, and all files that the given files import directly or indirectly. Imports of types are included. */
function reachedFrom(files: readonly string[]): ReadonlySet<string> {
  const graph = importGraph();
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const target of graph.get(file) ?? []) visit(target);
  };
  for (const file of files) visit(file);
  return reached;
}

/**
 * The import cycles, each in the form `a.ts → b.ts → a.ts`. The list has one cycle for each file that closes a cycle.
 */
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

function resolvedFrom(source: string, target: string): string {
  return target.startsWith('.') ? join(dirname(source), target).split(sep).join('/') : target;
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

function withoutTexts(code: string): string {
  return code.replaceAll(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, "''");
}
