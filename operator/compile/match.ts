/** Which requests the rendered admission policies see: what all of them share. */
import { GROUP } from '../api/capability-policy.ts';

/** On a probe's carrier: the hash of the ruleset that is asked for. */
export const PROBE_LABEL = `${GROUP}/probe`;

export interface AdmissionOptions {
  readonly operatorNamespace: string;
  /** Namespaces that no policy reaches: names, or prefixes that end in `*`. */
  readonly excludedNamespaces: readonly string[];
}

const WRITE = ['CREATE', 'UPDATE'];

function rule(apiGroup: string, operations: readonly string[], resources: readonly string[]) {
  return { apiGroups: [apiGroup], apiVersions: ['v1'], operations, resources };
}

export const PODS = [rule('', ['CREATE'], ['pods']), rule('', ['UPDATE'], ['pods/ephemeralcontainers'])];
export const TEMPLATES = [
  rule('', WRITE, ['podtemplates', 'replicationcontrollers']),
  rule('apps', WRITE, ['daemonsets', 'deployments', 'replicasets', 'statefulsets']),
  rule('batch', WRITE, ['cronjobs', 'jobs']),
];
/** What a probe asks to create, by dry run. */
export const CARRIER = [rule('', ['CREATE'], ['podtemplates'])];
export const NAMESPACES = [rule('', ['UPDATE'], ['namespaces', 'namespaces/finalize', 'namespaces/status'])];
export const BINDINGS = [rule('', ['CREATE'], ['bindings', 'pods/binding'])];

/** CEL, bool: the request is a probe. */
export const IS_PROBE = `request.resource.resource == "podtemplates" && "${PROBE_LABEL}" in dyn(object).metadata.?labels.orValue({})`;

/**
 * CEL, bool: the request is about a namespace that policies reach, or is a probe.
 * @param namespace CEL, string: the name of the namespace that the request is about
 */
export function notExcluded({ operatorNamespace, excludedNamespaces }: AdmissionOptions, namespace: string): string {
  const excluded = [operatorNamespace, ...excludedNamespaces].map((pattern) =>
    pattern.endsWith('*')
      ? `${namespace}.startsWith(${JSON.stringify(pattern.slice(0, -1))})`
      : `${namespace} == ${JSON.stringify(pattern)}`,
  );
  const probe = `request.namespace == ${JSON.stringify(operatorNamespace)} && ${IS_PROBE}`;
  return `(${probe}) || !(${excluded.join(' || ')})`;
}

/** CEL, bool: not a static pod's image in the API, which nobody admits or refuses. */
export const NOT_A_MIRROR_POD =
  'request.resource.resource != "pods" || !("kubernetes.io/config.mirror" in dyn(object).metadata.?annotations.orValue({}))';

/** namespaceObject is null in match conditions (tried): there a namespace is only known by its name. */
export function matchNotExcluded(options: AdmissionOptions, namespace: string) {
  return { name: 'namespace-not-excluded', expression: notExcluded(options, namespace) };
}
