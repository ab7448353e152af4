/**
 * Tests a rule's CEL with random policies and pods. The CEL that reads a policy's row must give the same result as the
 * CEL with literal values.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { commonColumns, levelColumns, levelKey, rowOf } from '../../operator/compile/rows.ts';
import { CelEngine } from '../../operator/evaluate/cel.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { all, choose, concat, not } from '../../operator/rules/condition.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Check, Filling, Rule, Test } from '../../operator/rules/rule.ts';
import { type Columns, LiteralValues, RowValues } from '../../operator/rules/values.ts';
import { evaluated } from '../compile/admission-text.ts';
import { arbitraryPod, arbitraryPodWithAddedContainers, arbitraryPolicy } from '../support/random-policies.ts';
import { SEED } from '../support/seed.ts';

const engine = new CelEngine();

interface Part {
  readonly over: Check['over'];
  readonly context: Record<string, unknown>;
}

function partsOf({ spec, annotations }: PodContent): Part[] {
  const {
    initContainers = [],
    containers = [],
    ephemeralContainers = [],
    volumes = [],
  } = spec as unknown as Record<string, object[]>;
  const variables = { spec, annotations };
  return [
    { over: 'pod', context: { variables } },
    ...[...initContainers, ...containers, ...ephemeralContainers].map(
      (c): Part => ({ over: 'containers', context: { variables, c } }),
    ),
    ...volumes.map((v): Part => ({ over: 'volumes', context: { variables, v } })),
  ];
}

/** The violations of each part of a pod. The rule's CEL has the policy's values as literals. */
function byLiterals(checks: readonly Check[], parts: readonly Part[]): unknown[] {
  return parts.map(({ over, context }) =>
    checks
      .filter((check) => check.over === over && engine.run(check.violates, context) === true)
      .map((check) => engine.run(check.message, context)),
  );
}

interface RowContext {
  readonly p: Columns;
  readonly levels: Readonly<Record<string, Columns>>;
}

/**
 * The violations of each part of a pod. The CEL of the rule reads the row of the policy. Each expression contains the
 * definitions of the variables that the expression uses.
 */
function byRow(values: RowValues, tests: readonly Test[], parts: readonly Part[], row: RowContext): unknown[] {
  return parts.map(({ over, context }) =>
    tests
      .filter(({ applies }) => applies !== false)
      .filter((test) => test.over === over)
      .flatMap(({ applies = true, violates, message }) => {
        const violated = values.bind(`${all(applies, violates)}`);
        return run(violated, context, row) === true ? [run(values.bindValue(message), context, row)] : [];
      }),
  );
}

function run(text: string, { variables, ...context }: Record<string, unknown>, { p, levels }: RowContext): unknown {
  return evaluated(text.replaceAll('variables.levels', 'levels'), { ...context, p, levels, given: variables }, [
    { name: 'spec', expression: 'given.spec' },
    { name: 'annotations', expression: 'given.annotations' },
  ]);
}

function fillsByRow(
  values: RowValues,
  fillings: readonly Filling[],
  parts: readonly Part[],
  row: RowContext,
): unknown[] {
  return parts.map(({ over, context }) =>
    fillings
      .filter(({ applies }) => applies !== false)
      .filter((filling) => filling.over === over)
      .flatMap(({ applies = true, when, value, path }) =>
        run(values.bind(`${all(applies, when)}`), context, row) === true
          ? [[path, run(values.bindValue(value), context, row)]]
          : [],
      ),
  );
}

function compare(
  rule: Rule,
  value: unknown,
  own: Columns,
  common: Columns,
  pod: PodContent,
  policy: Policy,
  filled: boolean,
) {
  const { standard } = policy;
  const parts = partsOf(pod);
  const row = { p: own, levels: { [levelKey(standard)]: levelColumns(standard) } };
  const values = new RowValues('p', 'variables.levels[p.level[0]]', common);
  const expected = byLiterals(rule.checks(value, standard, filled), parts);
  assert.deepEqual(byRow(values, rule.tests(values, { filled }), parts, row), expected, rule.id);
  if (typeof rule.ofContainer === 'object') {
    const literals = new LiteralValues(rule.columns(value, standard));
    const options = (values: LiteralValues | RowValues) => ({ filled, ...(filled && { ofPod: values }) });
    const known = rule.ofContainer.tests(literals, options(literals));
    const checks = known.flatMap(({ applies = true, ...check }): Check[] =>
      applies === false ? [] : [{ ...check, violates: `${all(check.violates, applies)}` }],
    );
    const tests = rule.ofContainer.tests(values, options(values));
    assert.deepEqual(byRow(values, tests, parts, row), byLiterals(checks, parts), `${rule.id} of a container`);
  }
  if (filled && rule.fillings) {
    const fills = parts.map(({ over, context }) =>
      rule
        .fills(value, standard)
        .filter((fill) => fill.over === over && run(fill.when, context, row) === true)
        .map((fill) => [fill.path, run(fill.value, context, row)]),
    );
    assert.deepEqual(fillsByRow(values, rule.fillings(values), parts, row), fills, `fills of ${rule.id}`);
  }
  return expected.flat().length;
}

type Policy = Parameters<typeof rowOf>[0];

describe('the CEL text of a rule that reads a row', () => {
  for (const [title, pods] of [
    ['pods', arbitraryPod],
    ['pods with ephemeral containers', arbitraryPodWithAddedContainers],
  ] as const) {
    it(`finds in ${title} what its text over known values finds, unfilled and filled (seed ${SEED})`, () => {
      let violations = 0;
      fc.assert(
        fc.property(arbitraryPolicy, pods, fc.boolean(), (policy, pod, filled) => {
          const own = rowOf(policy);
          for (const rule of RULES) {
            const value = policy.values[rule.id];
            // With the first value of `common`, the CEL reads every column from the row or the level. With the second
            // value of `common`, the CEL has literals for the columns that all policies share.
            for (const common of [{}, commonColumns([policy])]) {
              violations += compare(rule, value, own, common, pod, policy, filled);
            }
          }
        }),
        { seed: SEED, numRuns: 40 },
      );
      assert.ok(violations > 50, `${violations} violations`);
    });
  }
});

describe('a condition that may be known', () => {
  it('disappears from the text if it is', () => {
    assert.equal(all(true, 'a', true), 'a');
    assert.equal(all('a', false), false);
    assert.equal(all(), true);
    assert.equal(all('a', 'b'), '(a) && (b)');
    assert.deepEqual([not(true), not('a')], [false, '!(a)']);
    assert.deepEqual([choose(true, 'a', 'b'), choose('c', 'a', 'b')], ['a', '(c ? a : b)']);
    assert.equal(concat('"a"', '"b\\""', 'c', '"d"'), '"ab\\"" + c + "d"');
  });
});
