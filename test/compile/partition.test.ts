/**
 * Tests programs that are too large. A large program is split by the names of namespaces. The verdicts stay the same.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { LabelSelector } from '../../operator/api/capability-policy.ts';
import { modeProgram } from '../../operator/compile/mode-program.ts';
import { ownsCel, Partition, type Shard } from '../../operator/compile/partition.ts';
import { programOf } from '../../operator/compile/program-text.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { matches } from '../../operator/policy/selector.ts';
import { resolved } from '../support/policies.ts';
import { SEED } from '../support/seed.ts';
import { AdmissionText, evaluated } from './admission-text.ts';

const NAME = 'kubernetes.io/metadata.name';
const OPTIONS = { operatorNamespace: 'operator', excludedNamespaces: [] };
const NAMESPACES = ['a', 'aa', 'b', 'b-1', 'c', 'd', 'e', 'z', '0', 'default', 'kube-public'];

const byName = fc
  .uniqueArray(fc.constantFrom(...NAMESPACES), { minLength: 1, maxLength: 3 })
  .map((values): LabelSelector => ({ matchExpressions: [{ key: NAME, operator: 'In', values }] }));
const general = fc.constantFrom<LabelSelector[]>(
  {},
  { matchLabels: { team: 'net' } },
  {
    matchExpressions: [{ key: NAME, operator: 'NotIn', values: ['a'] }],
  },
);
const policies = fc
  .array(
    fc.record({
      namespaceSelector: fc.oneof({ weight: 5, arbitrary: byName }, general),
      priority: fc.constantFrom(0, 0, 1),
      level: fc.constantFrom('restricted' as const, 'baseline' as const, 'privileged' as const),
    }),
    { minLength: 1, maxLength: 12, size: 'max' },
  )
  .map((specs) => specs.map((spec, i) => resolved(`p${i}`, spec)));

const ONE = () => 1;

function owners(shards: readonly Shard[], namespace: string): Shard[] {
  return shards.filter((shard) => {
    const owns = ownsCel(shard, 'name');
    return owns === undefined || evaluated(owns, { name: namespace }) === true;
  });
}

function textOf(shard: Shard): AdmissionText {
  const text = modeProgram('Enforce', shard, OPTIONS);
  const name = `capabilitypolicy.enforce${shard.suffix}`;
  const program = programOf(text, { kind: 'Enforce', name, rows: new Map(), ownerUid: '', hasVariables: true });
  return new AdmissionText(program.policy);
}

describe('a split program', () => {
  it(`has one owner for each namespace, which knows every policy that selects it (seed ${SEED})`, () => {
    const seen = { whole: 0, split: 0 };
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 6 }), (all, most) => {
        const shards = new Partition(most).split(all, ONE);
        seen[shards.length === 1 ? 'whole' : 'split']++;
        assert.equal(new Set(shards.map(({ suffix }) => suffix)).size, shards.length);
        for (const namespace of [...NAMESPACES, 'zz', '', '-', 'b-', 'ä']) {
          const [owner, ...others] = owners(shards, namespace);
          assert.ok(owner && others.length === 0, `${namespace}: ${others.length + 1} owners`);
          for (const team of ['net', 'web']) {
            const labels = { [NAME]: namespace, team };
            const select = (some: readonly ResolvedPolicy[]) =>
              some.filter(({ selector }) => matches(selector, labels)).map(({ name }) => name);
            assert.deepEqual(select(owner.policies), select(all));
          }
        }
      }),
      { seed: SEED },
    );
    assert.ok(Math.min(...Object.values(seen)) > 3, JSON.stringify(seen));
  });

  it(`gives the verdicts of the whole program (seed ${SEED})`, () => {
    const seen = { admitted: 0, refused: 0 };
    const pods = [
      { spec: { containers: [{ name: 'app' }] } },
      { spec: { hostPID: true, containers: [{ name: 'app' }] } },
    ];
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 4 }), (all, most) => {
        const shards = new Partition(most).split(all, ONE);
        fc.pre(shards.length > 1);
        const [whole, split] = [textOf({ suffix: '', policies: all }), shards.map(textOf)];
        for (const namespace of NAMESPACES) {
          for (const object of pods) {
            const namespaceLabels = { [NAME]: namespace, team: 'net' };
            const request = { resource: 'pods', namespace, namespaceLabels, object };
            const expected = whole.refusal(request);
            const refusals = split.flatMap((text) => text.refusal(request) ?? []);
            assert.deepEqual(refusals, expected === undefined ? [] : [expected]);
            seen[expected === undefined ? 'admitted' : 'refused']++;
          }
        }
      }),
      { seed: SEED, numRuns: 15 },
    );
    assert.ok(Math.min(...Object.values(seen)) > 3, JSON.stringify(seen));
  });

  it('the shards keep their ranges while the policies fit, because a new range requires a new program', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => {
        const name = `namespace-${String(i).padStart(3, '0')}`;
        return resolved(`p${i}`, { namespaceSelector: { matchLabels: { [NAME]: name } } });
      });
    const partition = new Partition(20);
    const names = (some: readonly ResolvedPolicy[]) => partition.split(some, ONE).map(({ suffix }) => suffix);
    assert.deepEqual(names(many(20)), ['']);
    const first = names(many(50));
    assert.ok(first.length > 2);
    // Each shard keeps a quarter of its space free for later policies.
    for (const count of [51, 49, 30, 21, 50]) assert.deepEqual(names(many(count)), first, `${count}`);
    const grown = names(many(80));
    assert.notDeepEqual(grown, first);
    for (const shard of partition.split(many(80), ONE)) assert.ok(shard.policies.length <= 20);
    assert.deepEqual(names(many(20)), ['']);
  });

  it('each shard has every general policy, and the policies of the namespaces in its range', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const all = [
      resolved('all'),
      resolved('both', {
        namespaceSelector: { matchExpressions: [{ key: NAME, operator: 'In', values: ['a', 'f'] }] },
      }),
      ...names.map((name) => resolved(`of-${name}`, { namespaceSelector: { matchLabels: { [NAME]: name } } })),
    ];
    const shards = new Partition(4).split(all, ONE);
    assert.ok(shards.length > 1);
    const having = (name: string) => shards.filter((shard) => shard.policies.some((one) => one.name === name)).length;
    assert.deepEqual([having('all'), having('both')], [shards.length, 2]);
    for (const name of names) assert.equal(having(`of-${name}`), 1);
  });
});
