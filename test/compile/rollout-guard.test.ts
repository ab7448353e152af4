/** The guard of a roll-out's label, by the text of the admission policy and the operator's own CEL engine. */
import assert from 'node:assert/strict';
import type { CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { compile } from '../../operator/compile/compile.ts';
import { guardPolicy } from '../../operator/compile/guard.ts';
import { labelsByPolicy } from '../../operator/compile/guard-label.ts';
import type { Manifest } from '../../operator/compile/objects.ts';
import { CelEngine } from '../../operator/evaluate/cel.ts';
import { partsOf } from '../../operator/policy/parts.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy, resolved } from '../support/policies.ts';
import { type Named, Variables } from './admission-text.ts';

type Labels = Readonly<Record<string, string>>;

const OPTIONS = { oldestServer: NEWEST_KNOWN_MINOR, operatorNamespace: 'operator', excludedNamespaces: [] };
const ROLLOUT: Partial<CapabilityPolicySpec> = { rollout: {} };
const LABEL = 'rollout.capabilitypolicy.dev/it';
const PENDING = { [LABEL]: 'pending' };
const engine = new CelEngine();

/** A policy with a roll-out beside others; the guard is for all of them. */
function guardOf(...others: readonly ReturnType<typeof resolved>[]) {
  const policies = [...partsOf(resolved('it', { priority: 5, ...ROLLOUT }), { begun: true }).slice(0, 1), ...others];
  const wanted = labelsByPolicy(policies);
  const { variables } = guardPolicy({ name: 'Guard', policies, carried: [], wanted, binds: true }, OPTIONS).spec('');
  return new Variables(variables as Named[]);
}

/** Whether the author of a change needs `exempt` on the policy at this index. */
function needsExempt(guard: Variables, index: number, before: Labels | undefined, after: Labels): boolean {
  const context = {
    request: { operation: before ? 'UPDATE' : 'CREATE' },
    object: { metadata: { labels: after } },
    oldObject: before ? { metadata: { labels: before } } : null,
  };
  const value = (name: string) => guard.run(name, context);
  return value(`was${index}`) === true && !(value(`is${index}`) === true && !value('joined') && !value('tampered'));
}

describe('the guard of a roll-out', () => {
  const lower = resolved('lower', { level: 'baseline', priority: 0 });
  const beside = resolved('beside', { level: 'baseline', priority: 5 });
  const rows: Readonly<Record<string, readonly [before: Labels | undefined, after: Labels, needed: boolean]>> = {
    'adding the label needs exempt': [{}, PENDING, true],
    'adding it by another value needs exempt': [{ [LABEL]: 'enforced' }, PENDING, true],
    'creating a namespace with it needs exempt': [undefined, PENDING, true],
    'creating a namespace without it needs nothing': [undefined, { team: 'a' }, false],
    'creating a namespace with the value enforced needs nothing': [undefined, { [LABEL]: 'enforced' }, false],
    'removing it needs nothing': [PENDING, {}, false],
    'setting it to enforced needs nothing': [PENDING, { [LABEL]: 'enforced' }, false],
    'keeping it needs nothing': [PENDING, { ...PENDING, team: 'a' }, false],
  };
  for (const [title, [before, after, needed]] of Object.entries(rows)) {
    for (const [around, others] of Object.entries({
      alone: [],
      'over another policy': [lower],
      'beside one': [beside],
    })) {
      it(`${title}: ${around}`, () => {
        const guard = guardOf(...others);
        assert.equal(needsExempt(guard, 0, before, after), needed);
        // No other policy is left by a change of this label alone.
        if (!needed) for (const [i] of others.entries()) assert.equal(needsExempt(guard, i + 1, before, after), false);
      });
    }
  }

  it('looks at new namespaces only because of the label', () => {
    const { guards } = compile([policy('it', ROLLOUT)], OPTIONS);
    const [text] = guards.flatMap(({ admission }) => admission.objects) as [Manifest];
    const { matchConditions, matchConstraints } = text.spec as {
      matchConditions: Named[];
      matchConstraints: { resourceRules: { operations: string[]; resources: string[] }[] };
    };
    const rules = matchConstraints.resourceRules.filter(({ resources }) => resources.includes('namespaces'));
    assert.deepEqual(
      rules.flatMap(({ operations }) => operations),
      ['UPDATE', 'CREATE'],
    );
    const looksAt = (labels: Labels) => {
      const request = { operation: 'CREATE', resource: { resource: 'namespaces' }, name: 'new' };
      const context = { request, object: { metadata: { labels } }, oldObject: null };
      return matchConditions.every(({ expression }) => engine.run(expression, context) === true);
    };
    assert.deepEqual(
      [looksAt({ team: 'a' }), looksAt({ [LABEL]: 'enforced' }), looksAt(PENDING)],
      [false, false, true],
    );
  });

  it('does not look at new namespaces where no policy has a roll-out', () => {
    const { guards } = compile([policy('it')], OPTIONS);
    assert.doesNotMatch(JSON.stringify(guards[0]?.admission.objects), /"CREATE"\],"resources":\["namespaces"\]/);
  });
});

describe('a policy with a roll-out', () => {
  const objectsOf = (stages?: ReadonlyMap<string, { begun: boolean }>) => {
    const compiled = compile([policy('it', ROLLOUT)], { ...OPTIONS, ...(stages && { stages }) });
    return { compiled, ids: [...compiled.rendered.keys()] };
  };

  it('compiles to two parts, and to the pending one alone before it has begun', () => {
    assert.deepEqual(objectsOf().ids, ['it', 'it/pending']);
    assert.deepEqual(objectsOf(new Map([['it', { begun: false }]])).ids, ['it/pending']);
  });

  it('has one role for both parts, with the owners of both', () => {
    const { compiled } = objectsOf();
    const roles = [...compiled.rendered.values()].flatMap(({ role }) => role ?? []);
    assert.deepEqual(
      roles.map(({ metadata }) => metadata.name),
      ['capabilitypolicy.dev:use:it'],
    );
    const { compiled: before } = objectsOf(new Map([['it', { begun: false }]]));
    assert.equal([...before.rendered.values()].flatMap(({ role }) => role ?? []).length, 1);
  });

  it('warns in pending namespaces and refuses in all others', () => {
    const { compiled } = objectsOf();
    const actions = [...compiled.rendered.values()].map(({ admission }) => {
      const [own, pods] = admission.objects as [Manifest, Manifest];
      const { matchConstraints } = own.spec as { matchConstraints: { namespaceSelector: unknown } };
      const { validationActions } = pods.spec as { validationActions: unknown };
      return [matchConstraints.namespaceSelector, validationActions];
    });
    const by = (operator: string) => ({ matchExpressions: [{ key: LABEL, operator, values: ['pending'] }] });
    assert.deepEqual(actions, [
      [by('NotIn'), ['Deny']],
      [by('In'), ['Warn', 'Audit']],
    ]);
  });

  it('of a name of 63 characters has a label that the API server accepts', () => {
    const name = 'n'.repeat(63);
    const { rendered } = compile([policy(name, ROLLOUT)], OPTIONS);
    assert.equal(rendered.size, 2);
    const labels = [...rendered.values()].flatMap(({ admission }) =>
      admission.objects.flatMap(({ metadata }) => Object.values(metadata.labels)),
    );
    for (const value of labels) assert.match(value, /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/);
  });
});
