/** Tests that each test file is in exactly one tier of test/tiers.ts, and that the unit tests need little. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CAMPAIGNS, CORE, campaignsFor, matching, unitFiles } from '../tiers.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** A test that imports one of these files needs a control plane, or a program that a machine may lack. */
const NEEDS = ['hack/controlplane/controlplane.ts', 'test/support/needs.ts'];

const core = Object.values(CORE).flat();
const campaigns = Object.values(CAMPAIGNS);

describe('the tiers of the tests', () => {
  it('no file is in two tiers, in two campaigns or twice in the core', () => {
    const all = [...core, ...campaigns.flatMap(({ files }) => matching(files)), ...unitFiles()];
    assert.deepEqual(
      all.filter((file, i) => all.indexOf(file) !== i),
      [],
    );
    assert.deepEqual([...all].sort(), matching(['test/**/*.test.ts']));
  });

  it('are listed by patterns that match something', () => {
    const patterns = [...core, ...campaigns.flatMap(({ files }) => files)];
    assert.deepEqual(
      patterns.flatMap(braces).filter((pattern) => matching([pattern]).length === 0),
      [],
    );
  });

  it('unit tests need neither a control plane nor other programs', () => {
    assert.deepEqual(unitFiles().filter(needsMore), []);
  });

  it('campaigns cover folders and files that exist', () => {
    const covered = campaigns.flatMap(({ covers }) => covers);
    assert.deepEqual(
      covered.filter((path) => !existsSync(join(ROOT, path))),
      [],
    );
    assert.deepEqual(campaignsFor('operator/report/'), ['status']);
    assert.deepEqual(campaignsFor('operator/rep'), []);
    assert.ok(campaignsFor('operator').length > 5);
  });

  it('campaigns cover all folders of the code', () => {
    const folders = matching(['{analysis,cli,engine,operator,hack,ui,config}/*/']).filter(
      (path) => matching([`${path}/**/*.{ts,tsx}`]).length > 0,
    );
    assert.deepEqual(
      folders.filter((folder) => campaignsFor(folder).length === 0),
      [],
    );
  });
});

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
