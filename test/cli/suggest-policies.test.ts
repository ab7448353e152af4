/** Tests the names and selectors of the policies that are made from a suggestion. */
import assert from 'node:assert/strict';
import { policiesOf } from '../../analysis/suggest/policies.ts';
import { suggest } from '../../analysis/suggest/suggest.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { mayOverlap } from '../../operator/policy/selector.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { type Made, specOf } from '../suggest/suggest-features.ts';

const KEY = 'kubernetes.io/metadata.name';
const STANDARD = { minor: NEWEST_KNOWN_MINOR, server: NEWEST_KNOWN_MINOR };
const HARDENED: Made = { serviceAccount: 'default', features: [] };
const BASELINE: Made = {
  serviceAccount: 'default',
  features: ['root', 'no drop', 'seccomp unset', 'user not promised'],
};
const HOST: Made = { serviceAccount: 'node', features: ['hostNetwork'] };

function suggestions(pods: Readonly<Record<string, readonly Made[]>>) {
  const given = Object.entries(pods).flatMap(([namespace, all]) =>
    all.map((one, i) => ({
      workload: { kind: 'Pod', namespace, name: `Pod_${i}` },
      content: { annotations: {}, spec: specOf(one) },
    })),
  );
  return suggest(given, { standard: STANDARD, evaluator: new Evaluator() });
}

function policies(pods: Parameters<typeof suggestions>[0], options: Partial<Parameters<typeof policiesOf>[1]> = {}) {
  const all = policiesOf(suggestions(pods), { mode: 'Audit', everywhere: false, ...options });
  return all.map(({ policy: { metadata, spec } }) => [metadata?.name, spec.level, spec.namespaceSelector] as const);
}

const named = (name: string) => ({ matchLabels: { [KEY]: name } });
const among = (operator: 'In' | 'NotIn', values: readonly string[]) => ({ key: KEY, operator, values });

describe('the policies of a suggestion', () => {
  it('if the policies are for all namespaces, the policy of the tightest level covers namespaces without workloads', () => {
    const all = policies({ a: [HARDENED], b: [BASELINE], c: [HARDENED, HOST], d: [BASELINE] }, { everywhere: true });
    assert.deepEqual(all, [
      ['suggested-restricted', 'restricted', { matchExpressions: [among('NotIn', ['b', 'c', 'd'])] }],
      ['suggested-baseline', 'baseline', { matchExpressions: [among('In', ['b', 'd'])] }],
      ['c-pod-1', 'restricted', named('c')],
      ['c', 'restricted', named('c')],
    ]);
  });

  it('the suggestion is one policy for all namespaces if one level fits all workloads', () => {
    assert.deepEqual(policies({ a: [HARDENED], b: [HARDENED] }, { everywhere: true, name: 'all' }), [
      ['all-restricted', 'restricted', {}],
    ]);
    assert.deepEqual(policies({ a: [BASELINE] }, { everywhere: true }), [['suggested-baseline', 'baseline', {}]]);
  });

  it('one expression names at most 100 namespaces', () => {
    const names = Array.from({ length: 150 }, (_, i) => `team-${1000 + i}`);
    const [[, , rest] = [], ...shared] = policies(
      { a: [HARDENED], ...Object.fromEntries(names.map((name) => [name, [BASELINE]])) },
      { everywhere: true },
    );
    assert.deepEqual(rest, {
      matchExpressions: [among('NotIn', names.slice(0, 100)), among('NotIn', names.slice(100))],
    });
    assert.deepEqual(shared, [
      ['suggested-baseline', 'baseline', { matchExpressions: [among('In', names.slice(0, 100))] }],
      ['suggested-baseline-2', 'baseline', { matchExpressions: [among('In', names.slice(100))] }],
    ]);
  });

  it('meet only in their own namespaces', () => {
    const all = policiesOf(suggestions({ a: [HARDENED], b: [HARDENED, HOST], c: [BASELINE, HOST] }), {
      mode: 'Audit',
      everywhere: true,
    });
    const namespaces = ['a', 'b', 'c'].map((name) =>
      all.filter(({ policy }) => mayOverlap(policy.spec.namespaceSelector, named(name))),
    );
    assert.deepEqual(
      namespaces.map((own) => own.map(({ policy }) => policy.metadata?.name)),
      [['suggested-restricted'], ['b-pod-1', 'b'], ['c-pod-1', 'c']],
    );
  });

  it('have unique names that the API accepts', () => {
    const long = 'a'.repeat(60);
    const names = policies({ [long]: [HARDENED, HARDENED, HOST, { ...HOST, features: ['hostPID'] }] }).map(
      ([name]) => name,
    );
    assert.deepEqual(names, [`${long}-po`, `${long}-2`, long]);
  });
});
