/**
 * Tests which test files `npm run test:unit` runs. The lists of included and excluded files are in
 * test/unit.mocharc.yaml.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { load } from 'js-yaml';

const ROOT = join(import.meta.dirname, '..', '..');
/** A test that imports one of these files needs a control plane, or a program that a machine may lack. */
const NEEDS = ['hack/controlplane/controlplane.ts', 'test/support/needs.ts'];

const config = load(readFileSync(join(ROOT, 'test', 'unit.mocharc.yaml'), 'utf8')) as Readonly<
  Record<'spec' | 'ignore', readonly string[]>
>;
const all = filesOf(['test/**/*.test.ts']);
const leftOut = filesOf(config.ignore);
const unit = filesOf(config.spec).filter((file) => !leftOut.includes(file));

describe('the unit tests', () => {
  it('unit tests need neither a control plane nor other programs', () => {
    assert.deepEqual(unit.filter(needsMore), []);
  });

  it('every test file that needs no control plane and no other program is a unit test or is in the list of excluded files', () => {
    assert.deepEqual(
      all.filter((file) => !unit.includes(file) && !leftOut.includes(file) && !needsMore(file)),
      [],
    );
  });

  it('in the patterns of unit tests, braces appear only together with a wildcard, because mocha does not expand other braces', () => {
    // Mocha (lib/cli/lookup-files.js) only warns about a pattern that matches no file, and runs the other files.
    assert.deepEqual(
      config.spec.filter((pattern) => pattern.includes('{') && !pattern.includes('*')),
      [],
    );
  });

  it('are listed by patterns that match something', () => {
    const patterns = [...config.spec, ...config.ignore];
    assert.deepEqual(
      patterns.flatMap(braces).filter((pattern) => globSync(pattern, { cwd: ROOT }).length === 0),
      [],
    );
  });
});

function filesOf(patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).sort();
}

/** Expands the braces of a pattern: `{a,b}.ts` gives `a.ts` and `b.ts`. */
function braces(pattern: string): string[] {
  const [, before = '', choices = '', after = ''] = /^(.*)\{(.*)\}(.*)$/.exec(pattern) ?? [];
  return choices === '' ? [pattern] : choices.split(',').map((choice) => `${before}${choice}${after}`);
}

function needsMore(file: string): boolean {
  const reached = importsOf(file);
  return NEEDS.some((needed) => reached.has(needed));
}

/** The given file, and all files of the repository that the file imports directly or indirectly. */
function importsOf(file: string, reached = new Set<string>()): ReadonlySet<string> {
  if (reached.has(file) || !file.endsWith('.ts')) return reached;
  reached.add(file);
  for (const target of directImports(file)) importsOf(target, reached);
  return reached;
}

const read = new Map<string, readonly string[]>();

/** Each file is read once, because most tests reach the same files. */
function directImports(file: string): readonly string[] {
  const known = read.get(file);
  if (known) return known;
  const imports = readFileSync(join(ROOT, file), 'utf8').matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g);
  const targets = Array.from(imports, ([, path = '']) => join(dirname(file), path)).filter((target) =>
    existsSync(join(ROOT, target)),
  );
  read.set(file, targets);
  return targets;
}
