/**
 * Tests that the rules' CEL uses only functions that give equal results in the operator's CEL engine and in the API
 * server. The test test/differential/cel-functions.test.ts compares the results.
 */
import assert from 'node:assert/strict';
import { RULES } from '../../operator/rules/index.ts';
import { LEVELS, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { CEL_FUNCTIONS } from '../differential/cel-functions.ts';
import { overridesIn } from '../support/examples.ts';

/** The functions for optionals, lists and numbers. These functions do not read strings. */
const OTHER_FUNCTIONS = ['has', 'all', 'exists', 'filter', 'map', 'hasValue', 'orValue', 'or', 'string', 'int', 'dyn'];
const STRING_LITERAL = /"(?:[^"\\]|\\.)*"/g;

const STANDARDS = LEVELS.flatMap((level) =>
  Array.from({ length: NEWEST_KNOWN_MINOR + 1 }, (_, minor) => ({ level, minor, server: NEWEST_KNOWN_MINOR })),
);
const COMPARED = Object.values(CEL_FUNCTIONS);

describe('the CEL of the rules', () => {
  for (const rule of RULES) {
    const texts = new Set(
      STANDARDS.flatMap((standard) =>
        [{}, ...overridesIn(rule)].flatMap((overrides) => {
          const value = rule.value(overrides, standard);
          return [
            ...[false, true]
              .flatMap((filled) => rule.checks(value, standard, filled))
              .flatMap((one) => [one.violates, one.message]),
            ...(rule.fills?.(value, standard) ?? []).flatMap((one) => [one.when, one.value]),
            ...(rule.fit(standard).asks ?? []).map((one) => one.for),
          ];
        }),
      ),
    );
    const bare = [...texts].map((text) => text.replaceAll(STRING_LITERAL, '""'));

    it(`of ${rule.id} calls only functions that both engines were compared in`, () => {
      const called = new Set(bare.flatMap((text) => [...text.matchAll(/(\w+)\(/g)].map(([, name = '']) => name)));
      const known = COMPARED.flatMap((text) => [...text.matchAll(/\.(\w+)\(/g)].map(([, name]) => name));
      const unknown = [...called].filter((name) => !known.includes(name) && !OTHER_FUNCTIONS.includes(name));
      assert.deepEqual(unknown, []);
    });

    it(`of ${rule.id} matches only patterns that both engines were compared in`, () => {
      const patterns = new Set([...texts].flatMap((text) => [...text.matchAll(/\.matches\([^)]*\)/g)].map(String)));
      assert.deepEqual(
        [...patterns].filter((call) => !COMPARED.some((text) => text.endsWith(call))),
        [],
      );
    });

    it(`of ${rule.id} orders numbers only: the engines sort strings differently`, () => {
      const operands = bare.flatMap((text) =>
        [...text.matchAll(/(?:<=?|>=?) *(-?\w+|""|\S)/g)].map(([, operand]) => operand),
      );
      assert.deepEqual(
        operands.filter((operand) => !/^-?\d+$/.test(operand ?? '')),
        [],
      );
    });
  }
});
