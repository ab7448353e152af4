/** Splitting into guards: as many as texts and costs require, and the same answers whatever their number. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { CapabilityPolicySpec, LabelSelector } from '../../operator/api/capability-policy.ts';
import { type Compiled, compile } from '../../operator/compile/compile.ts';
import { guardPolicy } from '../../operator/compile/guard.ts';
import { labelsByPolicy } from '../../operator/compile/guard-label.ts';
import type { Guard } from '../../operator/compile/guards.ts';
import type { Manifest } from '../../operator/compile/objects.ts';
import { CelEngine } from '../../operator/evaluate/cel.ts';
import { deciding, siblings } from '../../operator/policy/deciding.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { matches } from '../../operator/policy/selector.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy, resolved } from '../support/policies.ts';
import { longSelector, SELECTOR, UNIVERSE } from '../support/random-selectors.ts';
import { type Named, Variables } from './admission-text.ts';

const OPTIONS = {
  oldestServer: NEWEST_KNOWN_MINOR,
  operatorNamespace: 'operator',
  excludedNamespaces: ['kube-system'],
};
const SEED = Number(process.env.FC_SEED ?? Date.now() % 1_000_000);
/** k8s.io/apiserver/pkg/apis/cel/config.go RuntimeCELCostBudget, and the cost of a check in pkg/cel/library/cost.go. */
const [COST_BUDGET, AUTHORIZER_CHECK] = [10_000_000, 350_000];

describe('guards', () => {
  it('are one for few policies', () => {
    const compiled = compiledWith(24, () => ({ namespaceSelector: {} }));
    assert.deepEqual(guarded(compiled), [24]);
  });

  it('check exempt no more often than the API server allows, whoever changes a namespace', () => {
    const compiled = compiledWith(60, () => SMALL);
    for (const checks of guarded(compiled)) {
      assert.ok((1 + checks) * AUTHORIZER_CHECK < COST_BUDGET, `${checks} policies in one guard`);
    }
    assert.equal(guarded(compiled).length, 3);
  });

  it('are texts that the API server accepts, with selectors as long as they may be', () => {
    const compiled = compiledWith(10, (index) => ({ namespaceSelector: longSelector(index) }));
    assert.deepEqual([...compiled.refusals], []);
    assert.equal(compiled.guards.length, 2);
    for (const { admission } of compiled.guards) {
      const length = JSON.stringify(admission.objects[0]).length;
      assert.ok(length < 620_000, `${length} characters`);
    }
  });

  it('guard each Enforce policy once, whatever the others are', () => {
    const compiled = compiledWith(60, (index) => ({ ...SMALL, mode: index % 2 === 0 ? 'Enforce' : 'Audit' }));
    const names = compiled.guards.flatMap(({ policies }) => policies);
    const enforcing = compiled.policies.filter(({ mode }) => mode === 'Enforce').map(({ name }) => name);
    assert.deepEqual(names, enforcing);
  });

  it('of policies that require the same label look only at namespaces with its values', () => {
    const team = (index: number) => ({ matchLabels: { team: `team-${index}` } });
    const few = compiledWith(20, (index) => ({ ...SMALL, namespaceSelector: index < 10 ? team(index) : {} }));
    assert.deepEqual(few.guards.map(scopeOf), [undefined]);
    const many = compiledWith(60, (index) => ({ ...SMALL, namespaceSelector: index % 2 === 0 ? team(index) : {} }));
    assert.deepEqual(guarded(many), [25, 25, 5, 5]);
    const [first] = many.guards.map(scopeOf);
    const values = Array.from({ length: 25 }, (_, i) => `team-${2 * i}`).sort();
    assert.deepEqual(first, { matchExpressions: [{ key: 'team', operator: 'In', values }] });
    assert.equal(many.guards.map(scopeOf).filter((scope) => scope === undefined).length, 2);
  });

  it('gain one policy more without a change of the others', () => {
    const spec = (index: number): Partial<CapabilityPolicySpec> => ({
      ...SMALL,
      namespaceSelector: {
        matchLabels:
          index % 3 === 0
            ? { stage: 'test', team: `team-${index}` }
            : { stage: 'live', 'kubernetes.io/metadata.name': `namespace-${index}` },
      },
    });
    const names = (count: number) => compiledWith(count, spec).guards.map(({ admission }) => admission.ruleset);
    for (const count of [30, 31, 32, 37, 38, 50, 75, 76]) {
      const [before, after] = [names(count), names(count + 1)];
      const kept = before.filter((ruleset) => after.includes(ruleset));
      assert.ok(before.length - kept.length <= 1, `${before.length - kept.length} of ${before.length} change`);
    }
  });

  it(`look at every change that takes a namespace from a policy or touches a label that it wants (seed ${SEED})`, () => {
    const specs = fc.array(fc.record({ namespaceSelector: SELECTOR, priority: fc.integer({ min: 0, max: 1 }) }), {
      minLength: 40,
      maxLength: 50,
    });
    const labels = fc
      .tuple(fc.constantFrom(...UNIVERSE), fc.constantFrom({}, PRIVILEGED))
      .map((both) => Object.assign({}, ...both));
    let [looked, skipped] = [0, 0];
    fc.assert(
      fc.property(specs, fc.array(fc.tuple(labels, labels), { minLength: 20, maxLength: 20 }), (all, changes) => {
        const compiled = compiledWith(
          all.length,
          (index) => ({ ...SMALL, ...all[index] }) as Partial<CapabilityPolicySpec>,
        );
        for (const { admission, policies } of compiled.guards) {
          for (const [before, after] of changes) {
            if (looksAt(admission, before, after)) {
              looked++;
              continue;
            }
            skipped++;
            const taken = compiled.policies.filter(
              (one) => policies.includes(one.name) && takesPlainly(compiled.policies, one, before, after),
            );
            assert.deepEqual(taken, []);
            assert.ok(
              before[ENFORCE] === after[ENFORCE] ||
                !compiled.policies.some((one) => policies.includes(one.name) && matches(one.selector, before)),
            );
          }
        }
      }),
      { seed: SEED, numRuns: 10 },
    );
    assert.ok(looked > 0 && skipped > 0, `${looked} looked at, ${skipped} not`);
  });

  it('look at no change of other labels and annotations, and at every change of the record', () => {
    const { guards } = compiledWith(1, () => ({ namespaceSelector: { matchLabels: { team: 'net' } } }));
    const { admission } = guards[0] as Guard;
    const [team, colour] = [{ team: 'net' }, { team: 'net', colour: 'blue' }];
    assert.equal(looksAt(admission, team, colour), false);
    assert.equal(looksAt(admission, team, { ...team, [ENFORCE]: 'baseline' }), true);
    assert.equal(looksAt(admission, team, {}), true);
    assert.equal(looksAt(admission, {}, team), true);
    assert.equal(looksAt(admission, team, team, { note: '1' }), false);
    assert.equal(looksAt(admission, team, team, { [RECORD]: '{}' }), true);
  });

  it('compare all labels where the policies look at very many', () => {
    const { guards } = compiledWith(10, (index) => ({
      ...SMALL,
      namespaceSelector: {
        matchExpressions: Array.from({ length: 40 }, (_, key) => ({
          key: `example.com/${index}-${key}`,
          operator: 'DoesNotExist' as const,
        })),
      },
    }));
    const { admission } = guards[0] as Guard;
    assert.equal(looksAt(admission, { colour: 'blue' }, { colour: 'red' }), true);
    assert.equal(looksAt(admission, { colour: 'blue' }, { colour: 'blue' }, { note: '1' }), false);
  });

  it('check bindings of pods once', () => {
    const compiled = compiledWith(60, () => SMALL);
    const looking = compiled.guards.filter(({ admission }) =>
      JSON.stringify(admission.objects).includes('pods/binding'),
    );
    assert.deepEqual(looking, compiled.guards.slice(0, 1));
  });

  it(`give the same answer for each policy as one guard for all (seed ${SEED})`, () => {
    const specs = fc.array(fc.record({ namespaceSelector: SELECTOR, priority: fc.integer({ min: 0, max: 2 }) }), {
      minLength: 1,
      maxLength: 6,
    });
    const labels = fc.constantFrom(...UNIVERSE);
    fc.assert(
      fc.property(
        specs,
        fc.array(fc.tuple(labels, labels), { minLength: 8, maxLength: 8 }),
        fc.nat(),
        (all, changes, mask) => {
          const policies = all.map((spec, i) => resolved(`policy-${i}`, spec as Partial<CapabilityPolicySpec>));
          const some = policies.filter((_, i) => ((mask >> i) & 1) === 1);
          fc.pre(some.length > 0);
          const carried = policies.filter(
            (one) => !some.includes(one) && some.some((other) => siblings(other, policies).includes(one)),
          );
          const guard = variablesOf(some, carried);
          for (const [before, after] of changes) {
            for (const [i, one] of some.entries()) {
              assert.equal(takes(guard, i, before, after), takesPlainly(policies, one, before, after));
            }
          }
        },
      ),
      { seed: SEED, numRuns: 300 },
    );
  });

  it(`keep a namespace with the policies that will decide there when others expire (seed ${SEED})`, () => {
    const spec = fc.record({
      namespaceSelector: SELECTOR,
      priority: fc.integer({ min: 0, max: 2 }),
      expires: fc.constantFrom('2027-01-31T00:00:00Z', '2027-02-28T00:00:00Z', undefined),
    });
    const labels = fc.constantFrom(...UNIVERSE);
    const changes = fc.array(fc.tuple(labels, labels), { minLength: 8, maxLength: 8 });
    const seen = { takes: 0, takesLater: 0, passes: 0 };
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 5 }), changes, (specs, all) => {
        const policies = specs.map(({ expires, ...rest }, i) =>
          resolved(`policy-${i}`, { ...rest, ...(expires !== undefined && { expires }), podSecurityLabels: 'Off' }),
        );
        const guard = variablesOf(policies, []);
        for (const [before, after] of all) {
          for (const [i, one] of policies.entries()) {
            const lasting = policies.filter(({ expires }) => expires >= one.expires);
            const decides = (labels: Labels) => deciding(lasting, 'Enforce', labels).includes(one);
            const takesNow = takesPlainly(policies, one, before, after);
            const takesLater = decides(before) && !decides(after);
            assert.equal(passesUnlessExempt(guard, i, before, after), !takesNow && !takesLater);
            seen[takesNow ? 'takes' : takesLater ? 'takesLater' : 'passes']++;
          }
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
    assert.ok(Math.min(...Object.values(seen)) > 0, JSON.stringify(seen));
  });
});

/** Small enough that many such policies may select the same namespace. */
const SMALL: Partial<CapabilityPolicySpec> = { level: 'privileged', overrides: { hostNetwork: false } };

type Labels = Readonly<Record<string, string>>;
const ENFORCE = 'pod-security.kubernetes.io/enforce';
const PRIVILEGED = { [ENFORCE]: 'privileged' };
const RECORD = 'capabilitypolicy.dev/labels';
const engine = new CelEngine();

/** The objectSelector of a guard's binding. */
function scopeOf({ admission }: Pick<Guard, 'admission'>): LabelSelector | undefined {
  const binding = admission.objects.find(({ metadata }) => metadata.name.endsWith('-guard')) as Manifest;
  return (binding.spec as { matchResources: { objectSelector?: LabelSelector } }).matchResources.objectSelector;
}

/** Whether an API server evaluates the guard's validations for a change of a namespace. */
function looksAt(admission: Guard['admission'], before: Labels, after: Labels, annotations: Labels = {}): boolean {
  const scope = scopeOf({ admission });
  if (scope && !matches(scope, before) && !matches(scope, after)) return false;
  const { matchConditions } = (admission.objects[0] as Manifest).spec as { matchConditions: Named[] };
  const request = { resource: { resource: 'namespaces' }, name: 'team' };
  const object = { metadata: { labels: after, annotations } };
  const context = { request, object, oldObject: { metadata: { labels: before } } };
  return matchConditions.every(({ expression }) => engine.run(expression, context) === true);
}

function compiledWith(count: number, spec: (index: number) => Partial<CapabilityPolicySpec>): Compiled {
  const names = Array.from({ length: count }, (_, i) => `policy-${String(i).padStart(3, '0')}`);
  return compile(
    names.map((name, i) => policy(name, spec(i))),
    OPTIONS,
  );
}

/** How many policies each guard guards. */
function guarded({ guards }: Compiled): number[] {
  return guards.map(({ policies }) => policies.length);
}

function variablesOf(policies: readonly ResolvedPolicy[], carried: readonly ResolvedPolicy[]): Variables {
  const wanted = labelsByPolicy([...policies, ...carried]);
  const { variables } = guardPolicy({ name: 'Guard', policies, carried, wanted, binds: true }, OPTIONS).spec('');
  // No author is exempt.
  const exempt = / \|\| variables\.exempt \|\| authorizer.*$/;
  return new Variables(
    (variables as Named[]).map(({ name, expression }) => ({ name, expression: expression.replace(exempt, '') })),
  );
}

/** Whether a guard lets an author who is not exempt make the change, as far as the policy at this index is concerned. */
function passesUnlessExempt(guard: Variables, index: number, before: Labels, after: Labels): unknown {
  const object = (labels: Labels) => ({ metadata: { labels } });
  return guard.run(`passes${index}`, { object: object(after), oldObject: object(before) });
}

/** Whether a guard says that the change takes the namespace out of the policy at this index. */
function takes(guard: Variables, index: number, before: Labels, after: Labels): boolean {
  const object = (labels: Labels) => ({ metadata: { labels } });
  const value = (name: string) => guard.run(name, { object: object(after), oldObject: object(before) });
  return value(`was${index}`) === true && !(value(`is${index}`) === true && value('joined') === false);
}

/** The same, computed from the deciding policies before and after. */
function takesPlainly(
  policies: readonly ResolvedPolicy[],
  policy: ResolvedPolicy,
  before: Labels,
  after: Labels,
): boolean {
  const [was, is] = [before, after].map((labels) => deciding(policies, 'Enforce', labels)) as [
    ResolvedPolicy[],
    ResolvedPolicy[],
  ];
  return was.includes(policy) && !(is.includes(policy) && is.every((one) => was.includes(one)));
}
