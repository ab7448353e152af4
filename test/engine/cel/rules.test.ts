/** Tests the engine on the texts of the rules, beside the evaluator of the operator. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { typeChecker } from '../../../engine/cel/check-type.ts';
import { CelEngine } from '../../../engine/cel/engine.ts';
import { fold } from '../../../engine/cel/fold.ts';
import { parse } from '../../../engine/cel/parse.ts';
import { print } from '../../../engine/cel/print.ts';
import { celValue } from '../../../engine/cel/value.ts';
import { CelEngine as OperatorEngine } from '../../../operator/evaluate/cel.ts';
import { Evaluator } from '../../../operator/evaluate/violations.ts';
import { CEL_FUNCTIONS } from '../../differential/cel-functions.ts';
import { EVERYTHING_RESTRICTED } from '../../support/examples.ts';
import { resolvedBaseline } from '../../support/policies.ts';
import { contentOf, randomPods } from '../../support/random-pods.ts';
import { TEXT } from './random-expressions.ts';

const RUNS = Number(process.env.CEL_RUNS ?? 200);

/** A policy that has all rules. */
const POLICY = resolvedBaseline('everything', { level: 'restricted', overrides: EVERYTHING_RESTRICTED });
const CHECKS = POLICY.checks.flatMap(({ rule, checks }) => checks.map((check) => ({ rule, check })));

describe('the functions that the rules may call', () => {
  it(`give the operator's results on ${RUNS} random texts`, () => {
    const engine = new CelEngine();
    const ofOperator = new OperatorEngine();
    const functions = Object.values(CEL_FUNCTIONS).map((text) => ({ text, expression: parse(text) }));
    fc.assert(
      fc.property(TEXT, TEXT, fc.nat(), fc.nat(), (s, t, a, b) => {
        const [from, to] = [a, b].map((one) => BigInt(one % ([...s].length + 1))).sort();
        for (const { text, expression } of functions) {
          const context = { s, t, from, to };
          assert.deepEqual(engine.run(expression, context), ofOperator.run(text, context), text);
        }
      }),
      { numRuns: RUNS },
    );
  });
});

describe('the texts of the rules', () => {
  it('are the text of the same expression, and type-check', () => {
    const typeOf = typeChecker({ variables: 'map(string, dyn)', c: 'dyn', v: 'dyn' });
    for (const { rule, check } of CHECKS) {
      for (const [text, types] of [
        [check.violates, ['bool', 'dyn']],
        [check.message, ['string', 'dyn']],
      ] as const) {
        const expression = parse(text);
        assert.deepEqual(parse(print(expression)), expression, rule);
        assert.ok(
          types.some((type) => type === typeOf(text)),
          `${rule}: ${typeOf(text)}`,
        );
      }
    }
  });

  it(`find the operator's violations of ${RUNS} random pods, also after folding`, () => {
    const engine = new CelEngine();
    const evaluator = new Evaluator();
    const conditions = CHECKS.map(({ rule, check }) => ({ rule, over: check.over, violates: parse(check.violates) }));
    const folded = conditions.map((one) => ({ ...one, violates: fold(one.violates) }));
    let violations = 0;
    fc.assert(
      fc.property(randomPods(), (pod) => {
        const content = contentOf(pod);
        const { spec, annotations } = content;
        const variables = celValue({ spec, annotations });
        const containers = [
          ...(spec.initContainers ?? []),
          ...(spec.containers ?? []),
          ...(spec.ephemeralContainers ?? []),
        ];
        const contexts = {
          pod: [{ variables }],
          containers: containers.map((container) => ({ variables, c: celValue(container) })),
          volumes: (spec.volumes ?? []).map((volume) => ({ variables, v: celValue(volume) })),
        };
        const rulesOf = (list: typeof conditions) =>
          list.filter(({ over, violates }) => contexts[over].some((context) => engine.run(violates, context) === true));
        const expected = [...new Set(evaluator.violations(content, POLICY).map(({ rule }) => rule))];
        // The evaluator evaluates no rule for a pod that is too large.
        fc.pre(!expected.includes('size'));
        for (const list of [conditions, folded])
          assert.deepEqual([...new Set(rulesOf(list).map(({ rule }) => rule))], expected);
        violations += expected.length;
      }),
      { numRuns: RUNS },
    );
    assert.ok(violations > RUNS, `${violations} violations`);
  });
});
