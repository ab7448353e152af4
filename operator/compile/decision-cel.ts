/**
 * The decision of design section 2 as CEL variables of an admission policy: for one policy, with the siblings that its
 * decision may turn on.
 */
import { GROUP, PLURAL } from '../api/capability-policy.ts';
import { CONTROLLER_NAMESPACE, CONTROLLERS } from '../policy/controllers.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { selectorCel } from '../policy/selector.ts';
import type { Check } from '../rules/rule.ts';

export interface Variable {
  readonly name: string;
  readonly expression: string;
}

/** The API server drops a message of more than 5 KiB (plugin/cel MaxEvaluatedMessageExpressionSizeBytes) or two lines. */
const MESSAGE_LENGTH = 4900;
const MESSAGE_LENGTH_IF_NOT_ASCII = MESSAGE_LENGTH / 4;

/** CEL, map(string, string): a template's resource → the service account that creates its pods. */
const CONTROLLER = `{${CONTROLLERS.map(({ resource, serviceAccount }) => `"${resource}": "${serviceAccount}"`).join(', ')}}`;

/**
 * The pod that a request is about. `dyn`: the API server type-checks a text against every kind that its policy matches,
 * and the kinds differ in where the pod stands.
 */
export const POD_VARIABLES: readonly Variable[] = [
  { name: 'resource', expression: 'request.resource.resource' },
  {
    name: 'ephemeral',
    expression: 'has(request.subResource) && request.subResource == "ephemeralcontainers"',
  },
  {
    name: 'pod',
    expression:
      'variables.resource == "pods" ? dyn(object) : variables.resource == "podtemplates" ? dyn(object).template : variables.resource == "cronjobs" ? dyn(object).spec.jobTemplate.spec.template : dyn(object).spec.template',
  },
  { name: 'spec', expression: 'variables.pod.spec' },
  { name: 'annotations', expression: 'variables.pod.?metadata.?annotations.orValue({})' },
  {
    // Ephemeral containers are only ever added: those that were there have been judged.
    name: 'containers',
    expression:
      'variables.ephemeral ? variables.spec.?ephemeralContainers.orValue([]).filter(c, !dyn(oldObject).spec.?ephemeralContainers.orValue([]).exists(o, o.name == c.name)) : variables.spec.?initContainers.orValue([]) + variables.spec.?containers.orValue([]) + variables.spec.?ephemeralContainers.orValue([])',
  },
  { name: 'volumes', expression: 'variables.ephemeral ? [] : variables.spec.?volumes.orValue([])' },
  { name: 'namespaceLabels', expression: 'namespaceObject.metadata.?labels.orValue({})' },
  { name: 'serviceAccount', expression: 'variables.spec.?serviceAccountName.orValue("default")' },
  { name: 'controller', expression: `${CONTROLLER}[?variables.resource].orValue("")` },
];

/**
 * Adds `variables.allowed` (bool) and `variables.message` (string, one line under 5 KiB).
 * @param siblings what deciding.ts says: of the same mode and at least the same priority
 */
export function decisionVariables(policy: ResolvedPolicy, siblings: readonly ResolvedPolicy[]): Variable[] {
  const parties = [policy, ...siblings];
  const decides = parties.map((party, index) => {
    const higher = parties.flatMap((other, i) => (other.priority > party.priority ? [`!variables.selects${i}`] : []));
    // The binding carries the first one's selector.
    const conditions = index === 0 ? higher : [`variables.selects${index}`, ...higher];
    return conditions.length === 0 ? 'true' : conditions.join(' && ');
  });
  return [
    ...siblings.map((sibling, i) => ({
      name: `selects${i + 1}`,
      expression: selectorCel(sibling.selector, 'variables.namespaceLabels'),
    })),
    ...parties.flatMap((party, i) => [
      { name: `violations${i}`, expression: violationsCel(party) },
      { name: `admits${i}`, expression: admitsCel(party, i) },
    ]),
    { name: 'allowed', expression: decides.map((d, i) => `(${d} && variables.admits${i})`).join(' || ') },
    { name: 'message', expression: oneLine(parties.map((party, i) => reasonCel(party, i, decides[i] ?? 'true'))) },
  ];
}

/** CEL, list(string): one line per violation, as operator/evaluate describes them. */
function violationsCel(policy: ResolvedPolicy): string {
  const lists = policy.checks.flatMap(({ rule, checks }) => checks.map((check) => checkCel(rule, check)));
  return lists.length === 0 ? '[]' : lists.join(' + ');
}

function checkCel(rule: string, { over, violates, message }: Check): string {
  switch (over) {
    case 'pod':
      return `(!variables.ephemeral && (${violates}) ? [${JSON.stringify(`${rule}: pod `)} + (${message})] : [])`;
    case 'containers':
      return `variables.containers.filter(c, ${violates}).map(c, ${JSON.stringify(`${rule}: container "`)} + c.name + "\\" " + (${message}))`;
    case 'volumes':
      return `variables.volumes.filter(v, ${violates}).map(v, ${JSON.stringify(`${rule}: volume "`)} + v.name + "\\" " + (${message}))`;
  }
}

/**
 * One variable for both halves: an authorizer check costs 350,000 of the 1,000,000 that the API server grants an
 * expression, and a variable is its own expression.
 */
function admitsCel(policy: ResolvedPolicy, index: number): string {
  const complies = `variables.violations${index}.size() == 0`;
  if (policy.usableBy === 'Everyone') return complies;
  const check = `.group("${GROUP}").resource("${PLURAL}").namespace(request.namespace).name(${JSON.stringify(policy.name)}).check("use").allowed()`;
  const serviceAccount = `authorizer.serviceAccount(request.namespace, variables.serviceAccount)${check}`;
  const creator = `(variables.resource == "pods" ? authorizer${check} : variables.controller != "" && authorizer.serviceAccount("${CONTROLLER_NAMESPACE}", variables.controller)${check})`;
  return `${complies} && (${serviceAccount} || ${creator})`;
}

/** CEL, list(string): why this policy does not admit the pod; empty where it does not decide. */
function reasonCel({ name }: ResolvedPolicy, index: number, decides: string): string {
  const violations = `variables.violations${index}`;
  const notUsable = `the pod complies, but neither its service account nor its creator may use this policy (RBAC verb use on ${PLURAL}/${name})`;
  return `(${decides} ? [${JSON.stringify(`CapabilityPolicy ${name}: `)} + (${violations}.size() == 0 ? ${JSON.stringify(notUsable)} : ${violations}.join("; "))] : [])`;
}

function oneLine(reasons: readonly string[]): string {
  const text = `(${reasons.join(' + ')}).join(" | ").split("\\n").join(" ").split("\\r").join(" ")`;
  const limit = `(m.matches("^[ -~]*$") ? ${MESSAGE_LENGTH} : ${MESSAGE_LENGTH_IF_NOT_ASCII})`;
  return `[${text}].map(m, m.size() <= ${limit} ? m : m.substring(0, ${limit}) + "… (cut)")[0]`;
}
