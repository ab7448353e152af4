import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RULES } from '../../operator/rules/index.ts';
import { LEVELS, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { overridesIn } from '../support/examples.ts';

const SOURCES = join(import.meta.dirname, '..', '..', 'operator', 'rules');
const NO_RULES = [
  'capability-fixes.ts',
  'capability-lists.ts',
  'cel.ts',
  'condition.ts',
  'default-profile.ts',
  'example.ts',
  'exemptions.ts',
  'fit.ts',
  'forbidden-field.ts',
  'holdable.ts',
  'id-ranges.ts',
  'index.ts',
  'reference.ts',
  'rule.ts',
  'seccomp-filling.ts',
  'seccomp-fixes.ts',
  'seccomp-oci.ts',
  'severity.ts',
  'single-group.ts',
  'size.ts',
  'token-volume.ts',
  'values.ts',
];

/** The test files for several rules, or for code that rules share. */
const NO_TABLES = [
  'containers.test.ts',
  'examples.test.ts',
  'fixes.test.ts',
  'functions.test.ts',
  'monotone.test.ts',
  'pod-fields.test.ts',
  'registry.test.ts',
  'rows.test.ts',
  'size.test.ts',
  'wider.test.ts',
];

describe('the table of rules', () => {
  const tables = readdirSync(import.meta.dirname).filter(
    (file) => file.endsWith('.test.ts') && !NO_TABLES.includes(file),
  );

  it('each file of rules has one test file, and no other test files exist', () => {
    const rules = readdirSync(SOURCES).filter((file) => !NO_RULES.includes(file));
    assert.deepEqual(tables.toSorted(), rules.map((file) => file.replace(/\.ts$/, '.test.ts')).toSorted());
  });

  it('has tests for each rule, once', () => {
    const described = tables.flatMap((file) => {
      const text = readFileSync(join(import.meta.dirname, file), 'utf8');
      return [...text.matchAll(/describeRule\('([^']+)'/g)].map(([, id]) => id);
    });
    assert.deepEqual(described.toSorted(), RULES.map(({ id }) => id).toSorted());
  });

  for (const rule of RULES) {
    it(`declares everything that ${rule.id} reads of a pod`, () => {
      const texts = LEVELS.flatMap((level) =>
        [0, 18, NEWEST_KNOWN_MINOR].flatMap((minor) => {
          const standard = { level, minor, server: NEWEST_KNOWN_MINOR };
          const values = [{}, ...overridesIn(rule)].map((overrides) => rule.value(overrides, standard));
          const checks = values.flatMap((value) =>
            [false, true].flatMap((filled) => rule.checks(value, standard, filled)),
          );
          const fixes = values.flatMap((value) => rule.fixes?.(value, standard) ?? []);
          return [
            ...checks.flatMap(({ over, violates, message }) => [over, violates, message]),
            ...fixes.flatMap(({ when, value }) => [when, value]),
          ];
        }),
      );
      const named = (pattern: RegExp) =>
        new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name = '']) => name)));
      const fields = named(/variables\.spec\.\??(\w+)\b(?!\()/g);
      if (texts.includes('volumes')) fields.add('volumes');
      // The projection of manifests keeps this field for fixes only (analysis/manifests/token-volume.ts).
      fields.delete('automountServiceAccountToken');
      // The projection always keeps containers of every kind, even if rules read only some fields of the containers.
      for (const kind of ['initContainers', 'containers', 'ephemeralContainers']) fields.delete(kind);
      assert.deepEqual([...fields].sort(), [...(rule.reads.spec ?? [])].sort());
      assert.deepEqual(
        [...named(/\bc\.\??(\w+)\b(?!\()/g)].filter((name) => name !== 'name').sort(),
        [...(rule.reads.container ?? [])].sort(),
      );
      assert.equal(
        texts.some((text) => text.includes('variables.annotations')),
        rule.reads.annotations !== undefined,
      );
    });
  }
});
