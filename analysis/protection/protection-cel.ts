/** The CEL expressions of the protection (protection.ts). */
import {
  FIELD_MANAGER,
  GROUP,
  MANAGED_BY_LABEL,
  PLURAL,
  RECORD,
  ROLLOUT_CONFIG_MAP_PREFIX,
} from '../../operator/api/capability-policy.ts';
import { PROBE_LABEL } from '../../operator/compile/protection-probe.ts';
import { CONTROLLER_NAMESPACE } from '../../operator/model/workload-kinds.ts';
import { literal, matchesAny } from '../../operator/rules/cel.ts';

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/**
 * An entry of a list in the admission policy, with the reason for the entry. The reason becomes a comment in the file.
 */
export interface Explained {
  readonly why: string;
  readonly entry: Readonly<Record<string, unknown>>;
}

export const CRD = `${PLURAL}.${GROUP}`;
export const LEASE = GROUP;

export function userName({ namespace, name }: ServiceAccount): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

const MANAGER = 'system:kube-controller-manager';
const GARBAGE_COLLECTOR = { namespace: CONTROLLER_NAMESPACE, name: 'generic-garbage-collector' };
const NAMESPACE_CONTROLLER = { namespace: CONTROLLER_NAMESPACE, name: 'namespace-controller' };
/** The controllers that may delete protected objects. */
export const DELETING_CONTROLLERS: readonly ServiceAccount[] = [GARBAGE_COLLECTOR, NAMESPACE_CONTROLLER];

/**
 * A CEL expression that is true if the user of the request is the controller. A controller acts as its own user. If
 * controllers have no separate credentials, a controller acts as the user of kube-controller-manager.
 */
function isController(account: ServiceAccount): string {
  return `request.userInfo.username in ${literal([userName(account), MANAGER])}`;
}

/**
 * A CEL expression that is true if the namespace controller deletes an object of a namespace that is being deleted.
 */
export const EMPTIES_NAMESPACE = `(variables.deletes && ${isController(NAMESPACE_CONTROLLER)})`;
/**
 * A CEL expression that is true if the user is kube-controller-manager. kube-controller-manager requests the tokens for
 * its controllers.
 */
export const IS_MANAGER = `request.userInfo.username == ${literal(MANAGER)}`;
/**
 * A CEL expression that is true if the user is a controller inside an API server. The controllers inside an API server
 * manage the API server's own objects.
 */
export const API_SERVER = `request.userInfo.username == "system:apiserver"`;

/**
 * A CEL expression that is true if the request is a probe. Webhooks never see bindings. Admission policies that were
 * created through the API never see bindings, either. Webhooks and policies that were created through the API therefore
 * cannot forge the answer to a probe.
 */
export const PROBES = `variables.resource == "validatingadmissionpolicybindings" && "${PROBE_LABEL}" in variables.subject.metadata.?labels.orValue({})`;

/**
 * Patterns of object names. The patterns match the names of the programs. The patterns also match the objects that the
 * operator rendered before programs existed.
 */
const ADMISSION_NAMES = ['capabilitypolicy.*', 'capabilitypolicy-*'];

/** A CEL expression that is true if the given fields of the object have not changed. */
function same(fields: readonly string[], [now, before]: readonly [string, string]): string {
  return fields.map((field) => `${now}.?${field} == ${before}.?${field}`).join(' && ');
}

const OBJECTS = ['dyn(object)', 'dyn(oldObject)'] as const;
const METADATA = ['dyn(object).metadata', 'dyn(oldObject).metadata'] as const;
const CONTENT = `${same(['spec', 'rules', 'aggregationRule', 'subjects', 'roleRef', 'data', 'binaryData', 'immutable'], OBJECTS)} && ${same(['labels', 'annotations'], METADATA)}`;
const LIFETIME = same(['ownerReferences', 'finalizers'], METADATA);

/** The CEL variables of the protection. @param users the user names of the operators */
export function variablesOf(users: readonly string[]): Explained[] {
  const variable = (name: string, expression: string, why: string) => ({ why, entry: { name, expression } });
  return [
    variable('resource', 'request.resource.resource', 'The kind of the object.'),
    variable(
      'deletes',
      'request.operation == "DELETE"',
      'The deletion of a collection causes one DELETE request for each object.',
    ),
    variable('subject', 'variables.deletes ? dyn(oldObject) : dyn(object)', 'The object.'),
    variable('name', 'variables.subject.metadata.?name.orValue("")', 'Generated names are known here.'),
    variable('operates', `request.userInfo.username in ${literal(users)}`, "The request is the operator's."),
    variable(
      'unchanged',
      `request.operation == "UPDATE" && ${CONTENT} && ${LIFETIME}`,
      'Such an update writes the object again, for example after a change of the encryption in etcd.',
    ),
    variable(
      'collects',
      `${isController(GARBAGE_COLLECTOR)} && (variables.deletes || (request.operation == "UPDATE" && ${CONTENT}))`,
      'The garbage collector deletes objects, and removes owners and finalizers. It changes nothing else.',
    ),
    variable(
      'labelled',
      `[dyn(object), dyn(oldObject)].exists(o, o != null && o.metadata.?labels[?"${MANAGED_BY_LABEL}"].orValue("") == "${FIELD_MANAGER}")`,
      'The operator treats objects with this label as its own objects.',
    ),
    variable(
      'ours',
      `request.resource.group == "admissionregistration.k8s.io" ? (variables.labelled || ${matchesAny('variables.name', ADMISSION_NAMES)} || ${matchesAny('variables.subject.?spec.?policyName.orValue("")', ADMISSION_NAMES)}) : variables.resource in ["clusterroles", "clusterrolebindings"] && (variables.labelled || variables.name.startsWith("${GROUP}:use:"))`,
      'The object belongs to the operator, or looks like an object of the operator.',
    ),
  ];
}

function isIn(operators: readonly ServiceAccount[]): string {
  return `request.namespace in ${literal([...new Set(operators.map(({ namespace }) => namespace))])}`;
}

export function isLease(operators: readonly ServiceAccount[]): string {
  return `variables.resource == "leases" && variables.name == "${LEASE}" && ${isIn(operators)}`;
}

/**
 * A CEL expression that is true if the object stores the state of rollouts. An object with the right name counts even
 * without the label. If an object with this name exists, the operator adds its label and keeps the object's content.
 */
export function isRolloutState(operators: readonly ServiceAccount[]): string {
  return `variables.resource == "configmaps" && ${isIn(operators)} && (variables.labelled || variables.name.matches("^${ROLLOUT_CONFIG_MAP_PREFIX}[0-9]+[.]"))`;
}

export const IS_CRD = `variables.resource == "customresourcedefinitions" && variables.name == "${CRD}"`;

/**
 * The number of levels of a schema at which properties are compared one by one. Schemas at deeper levels must be equal.
 */
const SCHEMA_DEPTH = 7;

/**
 * A CEL expression that is true if two schemas agree about the value itself (type, default, unknown fields). The
 * schemas of the value's contents are not compared.
 */
function keepsValue(now: string, before: string): string {
  const preserves = (schema: string) => `${schema}[?"x-kubernetes-preserve-unknown-fields"]`;
  return `${same(['type', 'default'], [now, before])} && ${preserves(now)} == ${preserves(before)}`;
}

const CONTAINED = ['items', 'additionalProperties'];

/**
 * A CEL expression that is true if the schema has every field of the old schema, with the same type and the same
 * default.
 *
 * In the CEL expression, a list with one element binds a variable. For an array or a map, the schemas of the contents
 * are compared. A list of lists is compared as a whole.
 */
function keepsSchema(now: string, before: string, depth = 0): string {
  const keeps = keepsValue(now, before);
  if (depth === SCHEMA_DEPTH) return `${keeps} && ${same(['properties', ...CONTAINED], [now, before])}`;
  const [key, pair] = [`k${depth}`, `s${depth}`];
  const element = (schema: string) => `${schema}.?items.orValue(${schema}.?additionalProperties.orValue(${schema}))`;
  const [elementNow, elementBefore] = [`${pair}[0]`, `${pair}[1]`];
  const inner = `(!has(${elementBefore}.properties) || (has(${elementNow}.properties) && ${elementBefore}.properties.all(${key}, ${key} in ${elementNow}.properties && ${keepsSchema(`${elementNow}.properties[${key}]`, `${elementBefore}.properties[${key}]`, depth + 1)})))`;
  return `${keeps} && [[${element(now)}, ${element(before)}]].all(${pair}, ${keepsValue(elementNow, elementBefore)} && ${same(CONTAINED, [elementNow, elementBefore])} && ${inner})`;
}

const SPEC = ['dyn(object).spec', 'dyn(oldObject).spec'] as const;

/**
 * A CEL expression that is true if every old version still exists, and is served and stored as before. Each version,
 * including a new version, has every field that stored objects may have. If a field were missing in a version, any
 * write through this version would drop the field.
 */
const KEEPS_VERSIONS = [
  `dyn(oldObject).spec.versions.all(v, dyn(object).spec.versions.exists(w, w.name == v.name && w.served == v.served && w.storage == v.storage))`,
  `dyn(oldObject).spec.versions.filter(v, v.storage).all(v, dyn(object).spec.versions.all(w, ${same(['subresources'], ['w', 'v'])} && ${keepsSchema('w.schema.openAPIV3Schema', 'v.schema.openAPIV3Schema')}))`,
];

export const KEEPS_CRD = `(${[
  same(['conversion', 'preserveUnknownFields'], SPEC),
  same(['ownerReferences'], METADATA),
  ...KEEPS_VERSIONS,
].join(' && ')})`;

const record = (object: string) => `${object}.metadata.?annotations[?"${RECORD}"]`;
export const KEEPS_RECORD = `${record('dyn(object)')} == ${record('dyn(oldObject)')}`;

const BUILT_IN_APIS = [
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  GROUP,
  'coordination.k8s.io',
  'rbac.authorization.k8s.io',
];
/**
 * A CEL expression that is true if the APIService is for a built-in API group. If the APIService of a built-in group
 * has a `service`, an API server uses this `service` until the API server starts again (kube-aggregator, autoregister).
 */
export const IS_BUILT_IN_API = `variables.subject.spec.?group.orValue("") in ${JSON.stringify(BUILT_IN_APIS)}`;

/**
 * A CEL expression that is true if an account in the list has the given name, and is in the namespace of the request.
 *
 * @param name a CEL expression of type string
 */
function isOneOf(accounts: readonly ServiceAccount[], name: string): string {
  return accounts.map((one) => `(request.namespace == "${one.namespace}" && ${name} == "${one.name}")`).join(' || ');
}

export function requestsToken(accounts: readonly ServiceAccount[]): string {
  return `variables.resource == "serviceaccounts" && (${isOneOf(accounts, 'request.name')})`;
}

/**
 * A CEL expression that is true if the controller manager writes a token of one of the accounts into the Secret. The
 * type of a Secret is immutable.
 */
export function isFilledWithToken(accounts: readonly ServiceAccount[]): string {
  const account = (object: string) =>
    `${object}.metadata.?annotations[?"kubernetes.io/service-account.name"].orValue("")`;
  const [now, before] = OBJECTS;
  const isNew = `(request.operation == "CREATE" || ${account(now)} != ${account(before)})`;
  return `variables.resource == "secrets" && ${now}.?type.orValue("") == "kubernetes.io/service-account-token" && ${isNew} && (${isOneOf(accounts, account(now))})`;
}

/**
 * A CEL expression that is true if the garbage collector removes the finalizer of an object. The garbage collector
 * removes the finalizer at the end of a foreground deletion.
 */
export const FINISHES_DELETION = `(variables.collects && has(dyn(oldObject).metadata.deletionTimestamp) && request.operation == "UPDATE")`;

export const EXEMPT = `authorizer.group("${GROUP}").resource("${PLURAL}").name(variables.name).check("exempt").allowed()`;
