/** The parts of a match (the requests that a policy sees) that all rendered admission policies share. */
import { GROUP } from '../api/capability-policy.ts';
import { entriesByKey } from '../model/by-key.ts';
import { groupOf, WORKLOAD_KINDS } from '../model/workload-kinds.ts';
import { matchesAny } from '../rules/cel.ts';
import { RBAC } from './objects.ts';

/** On a probe's carrier: the name of the program that the probe asks about. */
export const PROBE_LABEL = `${GROUP}/probe`;

export interface AdmissionOptions {
  readonly operatorNamespace: string;
  /** Namespaces that no policy reaches: names, or prefixes that end in `*`. */
  readonly excludedNamespaces: readonly string[];
}

const WRITE = ['CREATE', 'UPDATE'];

function rule(apiGroup: string, operations: readonly string[], resources: readonly string[]) {
  return { apiGroups: [apiGroup], apiVersions: ['*'], operations, resources };
}

export const PODS = [rule('', ['CREATE'], ['pods']), rule('', ['UPDATE'], ['pods/ephemeralcontainers'])];
/** Changes of a pod itself. Only images and a few other fields can change. */
export const POD_UPDATES = [rule('', ['UPDATE'], ['pods'])];
export const TEMPLATES = entriesByKey(Map.groupBy(WORKLOAD_KINDS, ({ apiVersion }) => groupOf(apiVersion))).map(
  ([group, kinds]) => rule(group, WRITE, kinds.map(({ resource }) => resource).sort()),
);
/**
 * The object that a probe asks to create, by dry run. It has no namespace, because a namespace selector never excludes such
 * an object (apiserver/pkg/admission/plugin/webhook/predicates/namespace/matcher.go).
 */
export const PROBE_CARRIER = [rule(RBAC, ['CREATE'], ['clusterroles'])];
export const NAMESPACES = [rule('', ['UPDATE'], ['namespaces', 'namespaces/finalize', 'namespaces/status'])];
/** Requests that match only because of the label of a rollout. */
export const NEW_NAMESPACES = [rule('', ['CREATE'], ['namespaces'])];
export const BINDINGS = [rule('', ['CREATE'], ['bindings', 'pods/binding'])];

/** CEL, string: the resource of the request: `pods`, `deployments`. */
export const RESOURCE = 'request.resource.resource';
/** CEL, bool: the request is a probe. */
export const IS_PROBE = `${RESOURCE} == "clusterroles" && "${PROBE_LABEL}" in dyn(object).metadata.?labels.orValue({})`;

/**
 * CEL, bool: no policy reaches the namespace.
 * @param namespace CEL, string: its name
 */
export function excludedCel({ operatorNamespace, excludedNamespaces }: AdmissionOptions, namespace: string): string {
  return matchesAny(namespace, [operatorNamespace, ...excludedNamespaces]);
}

/**
 * CEL, bool: a mirror pod, created by its node. The static pod already runs, whatever the API server answers. If anybody
 * else creates a pod with that annotation, it is evaluated like any other pod. Nodes are in this group
 * (plugin/pkg/auth/authorizer/node).
 */
export const IS_MIRROR_POD = `${RESOURCE} == "pods" && "kubernetes.io/config.mirror" in dyn(object).metadata.?annotations.orValue({}) && "system:nodes" in request.userInfo.?groups.orValue([])`;

/**
 * Namespaces that policies reach, and probes. namespaceObject is null in match conditions (tried), so match conditions
 * know a namespace only by its name.
 */
export function matchNotExcluded(options: AdmissionOptions, namespace: string) {
  return { name: 'namespace-not-excluded', expression: `(${IS_PROBE}) || !(${excludedCel(options, namespace)})` };
}
