/**
 * Tests the examples of each rule. The rule must admit the pods that an example lists as admitted, and must refuse the
 * pods that an example lists as refused.
 */
import assert from 'node:assert/strict';
import { examplePod } from '../../operator/evaluate/example-pods.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Example } from '../../operator/rules/example.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Rule } from '../../operator/rules/rule.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { restricting } from '../support/examples.ts';
import { resolvedBaseline } from '../support/policies.ts';

const evaluator = new Evaluator();

function messages(
  { id }: Rule,
  { overrides, level = 'restricted' }: Example,
  pod: Example['admits'][number],
): string[] {
  const policy = resolvedBaseline('example', { level, overrides });
  return evaluator
    .violations(examplePod(pod), policy)
    .filter(({ rule }) => rule === id)
    .map(({ message }) => message);
}

describe('the examples', () => {
  for (const rule of RULES) {
    it(`of ${rule.id} are admitted and refused by it`, () => {
      for (const example of rule.examples) {
        for (const pod of example.admits) assert.deepEqual(messages(rule, example, pod), [], JSON.stringify(pod));
        for (const pod of example.refuses) assert.ok(messages(rule, example, pod).length > 0, JSON.stringify(pod));
      }
    });

    it(`of ${rule.id} have one that refuses a pod, and each another text`, () => {
      assert.ok(restricting(rule));
      const texts = rule.examples.map(({ overrides, level = 'restricted' }) => {
        const standard = { level, minor: NEWEST_KNOWN_MINOR, server: NEWEST_KNOWN_MINOR };
        return JSON.stringify(rule.checks(rule.value(overrides, standard), standard));
      });
      assert.equal(new Set(texts).size, texts.length);
    });
  }
});
