import assert from 'node:assert/strict';
import { podMutators, unknownPodsIn } from '../../analysis/policies/pod-mutators.ts';
import { FIELD_MANAGER, MANAGED_BY_LABEL } from '../../operator/api/capability-policy.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import { clusterOf, ownedBy, podView, workloadView } from '../support/views.ts';
import { POLICY_RULES, RULES, type RuleCase } from './mutator-rules.ts';

const NET = { name: 'net', labels: { 'mutators-of': 'net' } };
const PINGER = workloadView('Deployment', 'pinger', { replicas: 0 });
const NAMED = { kind: 'Deployment', namespace: 'net', name: 'pinger' };

const mutatingWebhooks = (webhooks: readonly RawObject[]) => podMutators({ webhooks, policies: [], bindings: [] });
const mutatingPolicies = (policies: readonly RawObject[], bindings: readonly RawObject[]) =>
  podMutators({ webhooks: [], policies, bindings });

function webhooks(...all: readonly object[]): RawObject[] {
  return [{ metadata: { name: 'injectors' }, webhooks: all }];
}

const RULED = { name: 'injector.example', rules: RULES[0]?.matchConstraints.resourceRules };

function policyOf({ matchConstraints }: Pick<RuleCase, 'matchConstraints'>, labels = {}): RawObject {
  return { metadata: { name: 'mesh', labels }, spec: { matchConstraints } };
}

function bindingOf(matchResources: object | undefined, policyName = 'mesh'): RawObject {
  return { metadata: { name: 'any' }, spec: { policyName, ...(matchResources && { matchResources }) } };
}

/** The mutators of the pods of the Deployment without pods. */
function named(mutators: ReturnType<typeof mutatingWebhooks>, namespace = NET): readonly string[] {
  return unknownPodsIn(namespace, mutators, clusterOf([PINGER]))?.mutators ?? [];
}

describe('what may change future pods', () => {
  for (const { title, matches, matchConstraints } of RULES)
    it(`webhooks for ${title}: ${matches}`, () => {
      const { resourceRules: rules } = matchConstraints;
      const found = named(mutatingWebhooks(webhooks({ name: 'injector.example', rules })));
      assert.deepEqual(found, matches ? ['webhook injector.example'] : []);
    });

  for (const one of POLICY_RULES)
    it(`mutating policies for ${one.title}: ${one.matches}`, () => {
      const found = named(mutatingPolicies([policyOf(one)], [bindingOf(one.matchResources)]));
      assert.deepEqual(found, one.matches ? ['MutatingAdmissionPolicy mesh'] : []);
    });

  it('a webhook selects namespaces by their labels, and by their name', () => {
    const selecting = (namespaceSelector: object) => named(mutatingWebhooks(webhooks({ ...RULED, namespaceSelector })));
    assert.equal(selecting({}).length, 1);
    assert.equal(selecting({ matchLabels: { 'mutators-of': 'net' } }).length, 1);
    assert.equal(selecting({ matchLabels: { 'mutators-of': 'web' } }).length, 0);
    assert.equal(selecting({ matchLabels: { 'kubernetes.io/metadata.name': 'net' } }).length, 1);
    assert.equal(selecting({ matchLabels: { 'kubernetes.io/metadata.name': 'web' } }).length, 0);
    assert.equal(selecting({ matchExpressions: [{ key: 'mutators-of', operator: 'DoesNotExist' }] }).length, 0);
  });

  it('selectors of objects and conditions do not count, because they may match future pods', () => {
    const objectSelector = { matchLabels: { 'sidecar.istio.io/inject': 'true' } };
    const matchConditions = [{ name: 'never', expression: 'false' }];
    assert.equal(named(mutatingWebhooks(webhooks({ ...RULED, objectSelector, matchConditions }))).length, 1);
  });

  it('a policy without a binding changes nothing, and neither count the policies of the operator', () => {
    const [one] = POLICY_RULES as [RuleCase];
    assert.deepEqual(mutatingPolicies([policyOf(one)], []), []);
    assert.deepEqual(mutatingPolicies([policyOf(one)], [bindingOf({}, 'another')]), []);
    const ours = policyOf(one, { [MANAGED_BY_LABEL]: FIELD_MANAGER });
    assert.deepEqual(mutatingPolicies([ours], [bindingOf({})]), []);
  });

  it('each mutator is named once', () => {
    const [one] = POLICY_RULES as [RuleCase];
    const policies = mutatingPolicies([policyOf(one)], [bindingOf({}), bindingOf(undefined)]);
    const both = [...mutatingWebhooks(webhooks({ ...RULED, name: 'z' }, { ...RULED, name: 'a' })), ...policies];
    assert.deepEqual(named(both), ['MutatingAdmissionPolicy mesh', 'webhook a', 'webhook z']);
  });
});

describe('the workloads whose pods are not known', () => {
  const mutators = mutatingWebhooks(webhooks(RULED));
  const unknown = (...cluster: Parameters<typeof clusterOf>) =>
    unknownPodsIn(NET, mutators, clusterOf(...cluster))?.workloads;

  it('are the workloads without pods', () => {
    const set = workloadView('ReplicaSet', 'pinger-1', { ...ownedBy('Deployment', 'pinger'), replicas: 1 });
    const pod = podView('pinger-1-a', ownedBy('ReplicaSet', 'pinger-1'));
    const nightly = workloadView('CronJob', 'nightly');
    assert.deepEqual(unknown([PINGER, nightly]), [{ kind: 'CronJob', namespace: 'net', name: 'nightly' }, NAMED]);
    assert.deepEqual(unknown([PINGER, set]), [NAMED]);
    assert.equal(unknown([PINGER, set], [pod]), undefined);
    assert.deepEqual(unknown([PINGER, set], [{ ...pod, finished: true }]), [NAMED]);
  });

  it('are no finished Jobs, no PodTemplates and no bare pods', () => {
    const done = workloadView('Job', 'done', { finished: true });
    assert.equal(unknown([done, workloadView('PodTemplate', 'kept')], [podView('bare')]), undefined);
  });

  it('are workloads of the namespace only', () => {
    assert.equal(unknown([{ ...PINGER, namespace: 'web' }]), undefined);
  });
});
