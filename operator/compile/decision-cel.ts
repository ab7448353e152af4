/**
 * The decision of design section 2 as CEL variables of an admission policy: for one policy, with the siblings that its
 * decision may turn on.
 */
import { GROUP, PLURAL } from '../api/capability-policy.ts';
import { CONTROLLER_NAMESPACE } from '../policy/controllers.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { selectorCel } from '../policy/selector.ts';
import { type Variable, violationsCel } from './pod-cel.ts';

/** A policy as a decision knows it. */
export interface Party {
  readonly policy: ResolvedPolicy;
  /** CEL, bool: whether it is one of those that decide in the namespace. */
  readonly decides: string;
  /** CEL, bool: whether it admits the pod as it is. */
  readonly admits: string;
  /** CEL, list(string): what it has against the pod as it is. */
  readonly violations: string;
  /** CEL, bool: whether it admits the pod as it is, and defaulting has nothing to add. */
  readonly admitsUnchanged: string;
  /** CEL, bool: whether it would admit the pod after filling. */
  readonly admitsFilled: string;
}

/** The API server drops a message of more than 5 KiB (plugin/cel MaxEvaluatedMessageExpressionSizeBytes) or two lines. */
const MESSAGE_LENGTH = 4900;
const MESSAGE_LENGTH_IF_NOT_ASCII = MESSAGE_LENGTH / 4;

/**
 * The policy and its siblings; the expressions hold where `partyVariables` stand.
 * @param siblings what deciding.ts says: of the same mode and at least the same priority
 */
export function partiesOf(policy: ResolvedPolicy, siblings: readonly ResolvedPolicy[]): Party[] {
  const all = [policy, ...siblings];
  return all.map((party, index) => {
    const higher = all.flatMap((other, i) => (other.priority > party.priority ? [`!variables.selects${i}`] : []));
    // The binding carries the first one's selector.
    const conditions = index === 0 ? higher : [`variables.selects${index}`, ...higher];
    const use = party.usableBy === 'Everyone' ? '' : ` && variables.mayUse${index}`;
    return {
      policy: party,
      decides: conditions.length === 0 ? 'true' : conditions.join(' && '),
      admits: `variables.violations${index}.size() == 0${use}`,
      admitsUnchanged: `${party.defaulting ? `!variables.changes${index} && ` : ''}variables.violations${index}.size() == 0${use}`,
      violations: `variables.violations${index}`,
      admitsFilled: `variables.violationsFilled${index}.size() == 0${use}`,
    };
  });
}

/** Variables are evaluated when they are first asked for, each with the budget of an expression of its own. */
export function partyVariables(parties: readonly Party[]): Variable[] {
  return parties.flatMap(({ policy }, i) => [
    ...(i === 0
      ? []
      : [{ name: `selects${i}`, expression: selectorCel(policy.selector, 'variables.namespaceLabels') }]),
    ...(policy.usableBy === 'Everyone' ? [] : [{ name: `mayUse${i}`, expression: mayUseCel(policy.name) }]),
    ...violationVariables(policy, i),
  ]);
}

/** Adds `variables.allowed` (bool) and `variables.message` (string, one line under 5 KiB). */
export function decisionVariables(parties: readonly Party[]): Variable[] {
  return [
    {
      name: 'allowed',
      expression: parties.map(({ decides, admits }) => `(${decides} && ${admits})`).join(' || '),
    },
    { name: 'message', expression: oneLine(parties.map(reasonCel)) },
  ];
}

/** A template is judged as its pods will be: after filling. */
function violationVariables({ checks, filledChecks, defaulting }: ResolvedPolicy, index: number): Variable[] {
  const asIs = violationsCel(checks);
  if (!defaulting) return [{ name: `violations${index}`, expression: asIs }];
  return [
    { name: `violationsFilled${index}`, expression: violationsCel(filledChecks) },
    {
      name: `violations${index}`,
      expression: `variables.resource != "pods" ? variables.violationsFilled${index} : ${asIs}`,
    },
  ];
}

/**
 * CEL, bool: whether the pod's service account or its creator may use the policy. An authorizer check costs 350,000 of
 * the 1,000,000 that the API server grants an expression.
 */
function mayUseCel(policy: string): string {
  const check = `.group("${GROUP}").resource("${PLURAL}").namespace(request.namespace).name(${JSON.stringify(policy)}).check("use").allowed()`;
  const serviceAccount = `authorizer.serviceAccount(request.namespace, variables.serviceAccount)${check}`;
  const creator = `(variables.resource == "pods" ? authorizer${check} : variables.controller != "" && authorizer.serviceAccount("${CONTROLLER_NAMESPACE}", variables.controller)${check})`;
  return `${serviceAccount} || ${creator}`;
}

/** CEL, list(string): why this policy does not admit the pod; empty where it does not decide. */
function reasonCel({ policy: { name, defaulting }, decides, violations }: Party, index: number): string {
  const notUsable = `the pod complies, but neither its service account nor its creator may use this policy (RBAC verb use on ${PLURAL}/${name})`;
  // What defaulting would have repaired is nobody's business, unless it has not come to it.
  const filled = `variables.violationsFilled${index}`;
  const reasons = defaulting ? `(${filled}.size() > 0 ? ${filled} : ${violations})` : violations;
  return `(${decides} ? [${JSON.stringify(`CapabilityPolicy ${name}: `)} + (${violations}.size() == 0 ? ${JSON.stringify(notUsable)} : ${reasons}.join("; "))] : [])`;
}

function oneLine(reasons: readonly string[]): string {
  const text = `(${reasons.join(' + ')}).join(" | ").split("\\n").join(" ").split("\\r").join(" ")`;
  const limit = `(m.matches("^[ -~]*$") ? ${MESSAGE_LENGTH} : ${MESSAGE_LENGTH_IF_NOT_ASCII})`;
  return `[${text}].map(m, m.size() <= ${limit} ? m : m.substring(0, ${limit}) + "… (cut)")[0]`;
}
