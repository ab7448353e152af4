/** The match constraints and match conditions that several rendered admission policies share. */
import { GROUP } from '../api/capability-policy.ts';
import { entriesByKey } from '../model/by-key.ts';
import { groupOf, WORKLOAD_KINDS } from '../model/workload-kinds.ts';
import { matchesAny } from '../rules/cel.ts';
import { RBAC } from './objects.ts';

/** The label of a probe carrier. The label's value is the name of the program that the probe checks. */
export const PROBE_LABEL = `${GROUP}/probe`;

export interface AdmissionOptions {
  readonly operatorNamespace: string;
  /** The namespaces that no policy reaches. Each item is a name, or a prefix that ends in `*`. */
  readonly excludedNamespaces: readonly string[];
}

const WRITE = ['CREATE', 'UPDATE'];

function rule(apiGroup: string, operations: readonly string[], resources: readonly string[]) {
  return { apiGroups: [apiGroup], apiVersions: ['*'], operations, resources };
}

export const PODS = [rule('', ['CREATE'], ['pods']), rule('', ['UPDATE'], ['pods/ephemeralcontainers'])];
/** Matches updates of a pod itself. In a pod, the API server allows changes of images and of a few other fields. */
export const POD_UPDATES = [rule('', ['UPDATE'], ['pods'])];
export const TEMPLATES = entriesByKey(Map.groupBy(WORKLOAD_KINDS, ({ apiVersion }) => groupOf(apiVersion))).map(
  ([group, kinds]) => rule(group, WRITE, kinds.map(({ resource }) => resource).sort()),
);
/**
 * Matches the object that a probe asks the API server to create, by dry run. The object is cluster-scoped, because a
 * namespace selector never excludes a cluster-scoped object
 * (apiserver/pkg/admission/plugin/webhook/predicates/namespace/matcher.go).
 */
export const PROBE_CARRIER = [rule(RBAC, ['CREATE'], ['clusterroles'])];
export const NAMESPACES = [rule('', ['UPDATE'], ['namespaces', 'namespaces/finalize', 'namespaces/status'])];
/**
 * Matches creations of namespaces. The guard checks new namespaces because somebody may create a namespace with the
 * label of a rollout.
 */
export const NEW_NAMESPACES = [rule('', ['CREATE'], ['namespaces'])];
export const BINDINGS = [rule('', ['CREATE'], ['bindings', 'pods/binding'])];

/** A CEL expression of type string: the resource of the request, such as `pods` or `deployments`. */
export const RESOURCE = 'request.resource.resource';
/** A CEL expression of type bool: true if the request is a probe. */
export const IS_PROBE = `${RESOURCE} == "clusterroles" && "${PROBE_LABEL}" in dyn(object).metadata.?labels.orValue({})`;

/**
 * A CEL expression of type bool: true if the namespace is excluded, so that no policy reaches the namespace.
 * @param namespace CEL of type string: the name of the namespace
 */
export function excludedCel({ operatorNamespace, excludedNamespaces }: AdmissionOptions, namespace: string): string {
  return matchesAny(namespace, [operatorNamespace, ...excludedNamespaces]);
}

/**
 * A CEL expression of type bool: true if a node creates a mirror pod. The static pod behind a mirror pod already runs.
 * Refusing the mirror pod would therefore not stop the static pod. Other users may create pods with the annotation of a
 * mirror pod. If another user creates a pod with this annotation, the program evaluates the pod like any other pod.
 * Nodes are in the group system:nodes (plugin/pkg/auth/authorizer/node).
 */
export const IS_MIRROR_POD = `${RESOURCE} == "pods" && "kubernetes.io/config.mirror" in dyn(object).metadata.?annotations.orValue({}) && "system:nodes" in request.userInfo.?groups.orValue([])`;

/**
 * This match condition is true for probes, and for requests in namespaces that policies reach. In match conditions,
 * namespaceObject is null. We found this by an experiment. A match condition can therefore read only the name of the
 * namespace.
 */
export function matchNotExcluded(options: AdmissionOptions, namespace: string) {
  return { name: 'namespace-not-excluded', expression: `(${IS_PROBE}) || !(${excludedCel(options, namespace)})` };
}
