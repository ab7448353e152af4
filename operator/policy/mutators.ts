/** Finds the webhooks and mutating policies that may change objects when they are created. */
import { type LabelSelector, NAME_LABEL } from '../api/capability-policy.ts';
import type { NamespaceView } from '../model/objects.ts';
import { arrayOf, objectOf, type RawObject } from '../model/raw.ts';
import { matches } from './selector.ts';

/** A resource of the core API group, in the plural as in URLs. */
type MutatedResource = 'pods' | 'podtemplates';

/**
 * A webhook or mutating policy that matches the creation of some object of a resource. Its selectors of objects and its
 * conditions do not count, because they may read anything in an object that does not exist yet.
 */
export interface Mutator {
  /** The kind and name for people, such as `webhook sidecar-injector.istio.io`. */
  readonly text: string;
  /** The selectors of namespaces. All of them must match the labels of a namespace. */
  readonly selectors: readonly LabelSelector[];
}

/** The objects of a cluster that may change other objects. */
export interface Mutating {
  /** The MutatingWebhookConfigurations. */
  readonly webhooks: readonly RawObject[];
  /** The MutatingAdmissionPolicies. */
  readonly policies: readonly RawObject[];
  readonly bindings: readonly RawObject[];
}

/** The webhooks and mutating policies that match the creation of objects of the resource. */
export function mutatorsOf({ webhooks, policies, bindings }: Mutating, resource: MutatedResource): Mutator[] {
  return [...mutatingWebhooks(webhooks, resource), ...mutatingPolicies(policies, bindings, resource)];
}

function mutatingWebhooks(configurations: readonly RawObject[], resource: MutatedResource): Mutator[] {
  return configurations
    .flatMap(({ webhooks }) => arrayOf(webhooks).map(objectOf))
    .filter(({ rules }) => arrayOf(rules).some((rule) => matchesCreation(rule, resource)))
    .map(({ name, namespaceSelector }) => ({
      text: `webhook ${name}`,
      selectors: [objectOf(namespaceSelector) as LabelSelector],
    }));
}

/** Returns a policy once for each binding. A policy without a binding changes nothing. */
function mutatingPolicies(
  policies: readonly RawObject[],
  bindings: readonly RawObject[],
  resource: MutatedResource,
): Mutator[] {
  return policies.flatMap(({ metadata, spec }) => {
    const { matchConstraints } = objectOf(spec);
    return bindings
      .map((binding) => objectOf(binding.spec))
      .filter(({ policyName }) => policyName === metadata?.name)
      .map(({ matchResources }) => [matchConstraints, matchResources].map(objectOf))
      .filter(([ofPolicy = {}, ofBinding = {}]) => isReached(ofPolicy, resource) && isReached(ofBinding, resource))
      .map((both) => ({
        text: `MutatingAdmissionPolicy ${metadata?.name}`,
        selectors: both.map(({ namespaceSelector }) => objectOf(namespaceSelector) as LabelSelector),
      }));
  });
}

/** The mutators that are called for objects in the namespace. */
export function mutatorsIn(
  { name, labels }: Pick<NamespaceView, 'name' | 'labels'>,
  mutators: readonly Mutator[],
): readonly Mutator[] {
  const all = { ...labels, [NAME_LABEL]: name };
  return mutators.filter(({ selectors }) => selectors.every((selector) => matches(selector, all)));
}

/** Whether the MatchResources of a policy or binding match the resource. Without rules, they match everything. */
function isReached(
  { resourceRules, excludeResourceRules }: Readonly<Record<string, unknown>>,
  resource: MutatedResource,
): boolean {
  const rules = arrayOf(resourceRules);
  const excluded = arrayOf(excludeResourceRules).filter((rule) => arrayOf(objectOf(rule).resourceNames).length === 0);
  const matching = (rule: unknown) => matchesCreation(rule, resource);
  return (rules.length === 0 || rules.some(matching)) && !excluded.some(matching);
}

/**
 * Whether a rule of a webhook, policy or binding matches the creation of objects. To an API server, the resource
 * `pods/*` means the pods and all of their subresources.
 */
function matchesCreation(rule: unknown, resource: MutatedResource): boolean {
  const { apiGroups, apiVersions, resources, operations, scope } = objectOf(rule);
  const names = (list: unknown, ...wanted: readonly unknown[]) => arrayOf(list).some((one) => wanted.includes(one));
  return (
    names(apiGroups, '', '*') &&
    names(apiVersions, 'v1', '*') &&
    names(resources, resource, `${resource}/*`, '*', '*/*') &&
    names(operations, 'CREATE', '*') &&
    scope !== 'Cluster'
  );
}
