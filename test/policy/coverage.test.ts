import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Selections } from '../../operator/policy/coverage.ts';
import { deciding, MODES } from '../../operator/policy/deciding.ts';
import { matches } from '../../operator/policy/selector.ts';
import { coverageOf } from '../support/coverage-of.ts';
import { collectGarbage } from '../support/garbage.ts';
import { resolved } from '../support/policies.ts';
import { SELECTOR, UNIVERSE } from '../support/random-selectors.ts';

const POLICIES = fc
  .array(
    fc.record({
      namespaceSelector: SELECTOR,
      priority: fc.integer({ min: 0, max: 1 }),
      mode: fc.constantFrom('Enforce', 'Warn'),
    }),
    { maxLength: 5 },
  )
  .map((specs) => specs.map((spec, index) => resolved(`policy-${index}`, spec)));
const NAMES = ['a', 'b', 'c'];
const LABELS = fc.constantFrom(...UNIVERSE);
const STEP = fc.oneof(
  fc.record({ policies: POLICIES, keep: fc.nat(5) }),
  fc.record({ namespace: fc.constantFrom(...NAMES), labels: fc.option(LABELS, { nil: undefined }) }),
);

describe('coverageOf', () => {
  it('the coverage follows the selectors and priorities in each namespace', () => {
    fc.assert(
      fc.property(POLICIES, fc.array(LABELS, { maxLength: 3 }), (policies, all) => {
        const namespaces = all.map((labels, index) => ({ name: NAMES[index] ?? '', labels }));
        const coverage = coverageOf(policies, namespaces);
        for (const policy of policies) {
          const { selected, deciding: decides } = coverage.get(policy.name) ?? assert.fail();
          const selecting = namespaces.filter(({ labels }) => matches(policy.selector, labels));
          const won = selecting.filter(({ labels }) => deciding(policies, policy.mode, labels).includes(policy));
          assert.deepEqual(
            [selected, decides],
            [selecting, won].map((some) => some.map(({ name }) => name)),
          );
        }
      }),
    );
  });
});

describe('coverageOf: the deciding policies with restricted use', () => {
  const everywhere = Array.from({ length: 11 }, (_, index) => resolved(`all-${index}`, { usableBy: 'Bindings' }));
  const namespaces = ['a', 'b'].map((name) => ({ name, labels: { name } }));
  const inB = { matchLabels: { name: 'b' } };
  const [own] = everywhere;
  const rows: [string, Parameters<typeof coverageOf>[0], [string, number][]][] = [
    [
      'by namespace',
      everywhere,
      [
        ['a', 11],
        ['b', 11],
      ],
    ],
    [
      'with those of subjects',
      [
        ...everywhere,
        resolved('net', { usableBy: 'Subjects', subjects: [{ kind: 'User', name: 'eve' }], namespaceSelector: inB }),
      ],
      [
        ['a', 11],
        ['b', 12],
      ],
    ],
    [
      'without those for everyone',
      [...everywhere, resolved('net', {})],
      [
        ['a', 11],
        ['b', 11],
      ],
    ],
    [
      'without those of another mode',
      [...everywhere, resolved('net', { usableBy: 'Bindings', mode: 'Warn' })],
      [
        ['a', 11],
        ['b', 11],
      ],
    ],
    [
      'without those that another priority overrides',
      [...everywhere, resolved('net', { usableBy: 'Bindings', priority: -1 })],
      [
        ['a', 11],
        ['b', 11],
      ],
    ],
    [
      'not where the policy is overridden',
      [...everywhere, resolved('net', { namespaceSelector: inB, priority: 1 })],
      [['a', 11]],
    ],
  ];
  for (const [title, policies, expected] of rows) {
    it(`are counted ${title}`, () => {
      assert.deepEqual([...(coverageOf(policies, namespaces).get(own?.name ?? '')?.restricted ?? [])], expected);
    });
  }

  it('for a policy that everyone may use, the coverage does not count the deciding policies with restricted use', () => {
    const policies = [...everywhere, resolved('net', {})];
    assert.deepEqual([...(coverageOf(policies, namespaces).get('net')?.restricted ?? [])], []);
  });
});

describe('Selections', () => {
  it('incremental updates give the same result as a computation from scratch, and name every change', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 8 }), (steps) => {
        const selections = new Selections();
        const labels = new Map<string, Readonly<Record<string, string>>>();
        let policies: ReturnType<typeof resolved>[] = [];
        const namespaces = () => [...labels].map(([name, its]) => ({ name, labels: its })).sort(byName);
        const states = () => ({
          coverage: coverageOf(policies, namespaces()),
          deciders: new Map(NAMES.map((name) => [name, decidersIn(policies, labels.get(name))])),
        });
        for (const step of steps) {
          const before = states();
          let concerned: { policies: ReadonlySet<string>; namespaces: ReadonlySet<string> };
          if ('policies' in step) {
            // The test reuses the JavaScript objects of some policies. In the operator, an unchanged policy also keeps
            // its JavaScript object.
            const { keep } = step;
            policies = step.policies.map((one, index) => (index < keep ? (policies[index] ?? one) : one));
            concerned = selections.replace(policies, namespaces());
          } else {
            if (step.labels) labels.set(step.namespace, step.labels);
            else labels.delete(step.namespace);
            const found = selections.update(step.namespace, step.labels);
            concerned = { policies: found, namespaces: new Set([step.namespace]) };
          }
          const after = states();
          for (const policy of policies) {
            const { name } = policy;
            assert.deepEqual(selections.coverage(policy), after.coverage.get(name));
            const selected = [before, after].some(({ coverage }) => coverage.get(name)?.selected.length);
            const same = JSON.stringify(before.coverage.get(name)) === JSON.stringify(after.coverage.get(name));
            assert.ok(same || !selected || concerned.policies.has(name), `${name} is not named`);
          }
          for (const name of NAMES) {
            const same = JSON.stringify(before.deciders.get(name)) === JSON.stringify(after.deciders.get(name));
            assert.ok(same || concerned.namespaces.has(name), `namespace ${name} is not named`);
          }
        }
      }),
    );
  });

  it('forgets deleted and edited policies, also policies that selected nothing', async () => {
    const selections = new Selections();
    const nowhere = { namespaceSelector: { matchLabels: { team: 'none' } } };
    let collected = 0;
    const registry = new FinalizationRegistry(() => collected++);
    // The policies must not stay in a variable of the test.
    const edit = (index: number) => {
      const policies = [resolved('edited', nowhere), resolved(`deleted-${index}`, nowhere)];
      selections.replace(policies, [{ name: 'a', labels: {} }]);
      for (const policy of policies) {
        selections.coverage(policy);
        registry.register(policy, undefined);
      }
    };
    for (let index = 0; index < 3; index++) edit(index);
    selections.replace([], []);
    await collectGarbage(() => collected === 6);
    assert.equal(collected, 6);
    assert.equal(selections.selecting('a').length, 0);
  });

  it('keeps the list of policies of a namespace if the policies stay the same', () => {
    const selections = new Selections();
    const [one, two] = [resolved('one', { namespaceSelector: { matchLabels: { team: 'a' } } }), resolved('two')];
    const namespaces: { name: string; labels: Record<string, string> }[] = [
      { name: 'a', labels: { team: 'a' } },
      { name: 'b', labels: {} },
    ];
    selections.replace([one, two], namespaces);
    const [a, b] = [selections.selecting('a'), selections.selecting('b')];
    const edited = resolved('one', { namespaceSelector: { matchLabels: { team: 'a' } }, level: 'baseline' });
    assert.deepEqual([...selections.replace([edited, two], namespaces).namespaces], ['a']);
    assert.notEqual(selections.selecting('a'), a);
    assert.equal(selections.selecting('b'), b);
  });
});

function decidersIn(policies: readonly ReturnType<typeof resolved>[], labels?: Readonly<Record<string, string>>) {
  return labels && MODES.map((mode) => deciding(policies, mode, labels).map(({ name, values }) => ({ name, values })));
}

function byName({ name: a }: { name: string }, { name: b }: { name: string }): number {
  return a < b ? -1 : 1;
}
