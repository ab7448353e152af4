/** Tests policies that loosen a policy with a rollout. Everybody may use the loosening policies. */
import assert from 'node:assert/strict';
import { PolicyContextBuilder } from '../../analysis/policies/context-builder.ts';
import { type CompletePolicy, GROUP, KIND, NAME_LABEL, VERSION } from '../../operator/api/capability-policy.ts';
import { completeSpec } from '../../operator/api/defaults.ts';
import { type Loosening, loosenedRules } from '../../operator/evaluate/loosening.ts';
import { looseningText } from '../../operator/report/loosening.ts';
import { resolved } from '../support/policies.ts';
import { clusterOf, SERVER, wholeCluster } from '../support/views.ts';

type Spec = Parameters<typeof completeSpec>[0];

const EVERYWHERE: Spec = { namespaceSelector: {}, level: 'restricted', mode: 'Enforce', rollout: {} };
const WEB: Spec = { namespaceSelector: { matchLabels: { [NAME_LABEL]: 'web' } }, level: 'baseline', mode: 'Enforce' };
const OPTIONS = { namespaceLabels: {}, operatorNamespace: 'operator', excludedNamespaces: [], at: 0 };
const BY_BASELINE = ['capabilities', 'allowPrivilegeEscalation', 'runAsNonRoot', 'runAsUser', 'seccomp'];

function policy(name: string, spec: Spec): CompletePolicy {
  return { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { name, uid: name }, spec: completeSpec(spec) };
}

/** Returns the policies that the policy `web` loosens in a cluster with the namespaces `net` and `web`. */
function loosenings(web: Partial<Spec>, everywhere: Partial<Spec> = {}, labels = {}): readonly Loosening[] {
  const builder = new PolicyContextBuilder();
  const namespaces = ['net', 'web'].map((name) => ({
    name,
    uid: name,
    labels: { [NAME_LABEL]: name, ...(name === 'web' && labels) },
    terminating: false,
  }));
  const policies = [policy('everywhere', { ...EVERYWHERE, ...everywhere }), policy('web', { ...WEB, ...web })];
  builder.addCluster(wholeCluster(clusterOf([]), policies, namespaces as never));
  const found = builder.build({ ...OPTIONS, oldestServer: SERVER }, () => {}).loosenings();
  return [...found].flatMap(([name, own]) => {
    assert.equal(name, 'web');
    return own;
  });
}

describe('a policy loosens another policy that has a rollout', () => {
  it('a policy that everybody may use loosens another policy of the same priority', () => {
    const [found, ...others] = loosenings({});
    assert.deepEqual(others, []);
    assert.deepEqual([found?.policy, found?.namespaces], ['everywhere', ['web']]);
    for (const rule of BY_BASELINE) assert.ok(found?.rules.includes(rule), rule);
    assert.ok(!found?.rules.includes('hostNetwork'));
  });

  it('a policy loosens another policy while the rollout is pending in the namespace', () => {
    const [found] = loosenings({}, {}, { [`rollout.${GROUP}/everywhere`]: 'pending' });
    assert.deepEqual(found?.namespaces, ['web']);
  });

  it('if its priority is higher', () => {
    assert.equal(loosenings({ priority: 10 }).length, 1);
  });

  it('by a single override', () => {
    const [found] = loosenings({ level: 'restricted', overrides: { hostNetwork: true } });
    assert.deepEqual(found?.rules, ['hostNetwork']);
  });

  const NOT: Readonly<Record<string, readonly [web: Partial<Spec>, everywhere?: Partial<Spec>]>> = {
    'if it has the same rules': [{ level: 'restricted' }],
    'if it is tighter': [{ level: 'restricted', overrides: { readOnlyRootFilesystem: true } }],
    'if it is for some subjects': [{ usableBy: 'Bindings' }],
    'if its priority is lower': [{ priority: -1 }],
    'in another mode': [{ mode: 'Warn' }],
    'if the other one is not rolled out': [{}, { rollout: undefined } as never],
    'if the rollout rests': [{}, { mode: 'Audit' }],
    'if no namespace has both': [{}, { namespaceSelector: { matchLabels: { [NAME_LABEL]: 'net' } } }],
    'once it has expired': [{ expires: '1960-01-01T00:00:00Z' }],
  };
  for (const [title, [web, everywhere]] of Object.entries(NOT)) {
    it(`not ${title}`, () => assert.deepEqual(loosenings(web, everywhere), []));
  }

  it('and the message names the loosened policy, the namespaces, the rules and the field', () => {
    const [found] = loosenings({ level: 'restricted', overrides: { hostNetwork: true, hostPID: true } });
    assert.equal(
      looseningText(found as Loosening),
      'everybody may use this policy, and it loosens 2 rules (hostNetwork, hostPID) of policy everywhere, which is being rolled out in 1 namespace (web); write usableBy: Subjects if this policy is an exception for some service accounts',
    );
  });

  it('a copy of a policy under another name loosens nothing, because each rule needs evidence', () => {
    for (const level of ['privileged', 'baseline', 'restricted'] as const) {
      const one = resolved('one', { level, mode: 'Enforce' });
      assert.deepEqual(loosenedRules(one, { ...one, name: 'other', meanwhile: 'Warn' }), []);
    }
  });
});
