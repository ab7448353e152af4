/**
 * The decision of one policy as CEL variables of an admission policy, together with the siblings that it may depend on.
 */
import { GROUP, type LabelSelector, PLURAL } from '../api/capability-policy.ts';
import { CONTROLLER_NAMESPACE } from '../model/workload-kinds.ts';
import { formatTime, NEVER } from '../policy/expiry.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { selectorCel } from '../policy/selector.ts';
import { and } from '../rules/cel.ts';
import type { Variable } from './bound-variables.ts';
import { judgementOf, judgementVariables, passes } from './judgement-cel.ts';
import { RESOURCE } from './match.ts';
import { sharedViolations } from './shared-violations.ts';

/** A policy as a decision uses it. */
export interface CandidatePolicy {
  readonly policy: ResolvedPolicy;
  /** CEL, bool: whether its selector matches the namespace. */
  readonly matches: string;
  /** CEL, bool: whether it has not expired. */
  readonly current: string;
  /** CEL, bool: whether it selects the namespace and has not expired. */
  readonly selects: string;
  /** CEL, bool: whether it is one of those that decide in the namespace. */
  readonly decides: string;
  /** CEL, bool: whether it admits the unchanged pod. */
  readonly admits: string;
  /** CEL, bool: whether the pod, or the containers added to it, comply as they are. */
  readonly complies: string;
  /** CEL, bool: whether an existing pod complied before containers were added. */
  readonly complied: string;
  /** CEL, list(string): the pod's violations, after the defaulting that has not been applied yet. */
  readonly violations: string;
  /** CEL, bool: whether it admits the unchanged pod, and defaulting has nothing to add. */
  readonly admitsUnchanged: string;
  /** CEL, bool: whether it would admit the pod after filling. */
  readonly admitsFilled: string;
}

/** CEL: an expression that is always true. */
export const ALWAYS = 'true';
/** The API server drops a message of more than 5 KiB (plugin/cel MaxEvaluatedMessageExpressionSizeBytes) or two lines. */
const MESSAGE_LENGTH = 4900;
export const MESSAGE_LENGTH_IF_NOT_ASCII = MESSAGE_LENGTH / 4;
/**
 * RE2: the characters that a message may contain. Excludes control characters, line ends and bidirectional controls, as
 * report/text.ts does. The API server drops a warning with a control character (apimachinery/pkg/util/net/http.go).
 */
export const PRINTABLE = '[^\\x00-\\x1f\\x7f-\\x9f\\x{061c}\\x{200e}\\x{200f}\\x{2028}-\\x{202e}\\x{2066}-\\x{2069}]+';
/**
 * The number of violations that a message describes, over all policies; the rest is counted. Describing more would
 * exceed the API server's cost limit for an expression, and then there is no message at all.
 */
const DESCRIBED = 24;
/** Each reason has some 900 characters and at most 7 sums; the parser accepts no more than 250 in a row. */
const REASONS_TOGETHER = 35;

interface CandidatesOptions {
  /** Whether the request has a creationTimestamp. Mutating admission runs before the API server sets it. */
  readonly hasTime: boolean;
}

/**
 * The policy and its siblings; the expressions are valid next to `candidateVariables`. @param siblings from deciding.ts:
 * the same mode and at least the same priority
 */
export function candidatesOf(
  policy: ResolvedPolicy,
  siblings: readonly ResolvedPolicy[],
  { hasTime }: CandidatesOptions = { hasTime: true },
): CandidatePolicy[] {
  const all = [policy, ...siblings];
  const highest = Math.max(...all.map(({ priority }) => priority));
  const selectors = all.map(({ selector }) => selectorText(selector));
  return all.map((candidate, index) => {
    const first = selectors.indexOf(selectors[index] as string);
    // The admission policy itself matches only namespaces that the first one selects.
    const matches = first === 0 ? ALWAYS : `variables.selects${first}`;
    const current = hasTime ? currentCel(candidate) : ALWAYS;
    const selects = current === ALWAYS ? matches : matches === ALWAYS ? current : `${matches} && ${current}`;
    const use = candidate.usableBy === 'Everyone' ? '' : ` && variables.mayUse${index}`;
    const { complies, compliesFilled, complied, violations } = judgementOf(candidate, index);
    return {
      policy: candidate,
      matches,
      current,
      selects,
      decides: candidate.priority === highest ? selects : `variables.decides${index}`,
      admits: `${complies}${use}`,
      admitsUnchanged: `${candidate.defaulting ? `!variables.changes${index} && ` : ''}${complies}${use}`,
      complies,
      complied,
      violations,
      admitsFilled: `${compliesFilled}${use}`,
    };
  });
}

/**
 * Variables are evaluated on first use, each with the cost budget of a separate expression. Other expressions only name
 * them: the API server accepts no expression of more than 100,000 characters.
 */
export function candidateVariables(candidates: readonly CandidatePolicy[]): Variable[] {
  const { overridden, variables } = overrides(
    candidates.map(({ policy }) => policy),
    { name: 'overridden', selects: (i) => candidates[i]?.selects ?? 'false' },
  );
  const violations = sharedViolations(candidates.flatMap(({ policy }) => passes(policy)));
  const judgements = violations.judgements.values();
  return [
    ...violations.shared,
    ...candidates.flatMap(({ policy, matches }, i) => [
      ...(matches === `variables.selects${i}`
        ? [{ name: `selects${i}`, expression: selectorText(policy.selector) }]
        : []),
      ...(policy.usableBy === 'Everyone' ? [] : [{ name: `mayUse${i}`, expression: mayUseCel(policy.name) }]),
      ...judgementVariables(policy, i, judgements),
    ]),
    ...variables,
    ...candidates.flatMap(({ policy, selects }, i) => {
      const by = overridden(policy);
      return by === undefined ? [] : [{ name: `decides${i}`, expression: `${selects} && !${by}` }];
    }),
    {
      // Ignores who may use the policy: docs/decisions/0008.
      name: 'compliedBefore',
      expression: candidates.map(({ decides, complied }) => and(whereNotAlways(decides), complied)).join(' || '),
    },
  ];
}

function whereNotAlways(condition: string): string | undefined {
  return condition === ALWAYS ? undefined : condition;
}

/**
 * CEL, bool. A pod that existed before the end counts as before it: for its ephemeral containers, and for templates that
 * existed, the operator ends the policy by compiling without it.
 */
function currentCel({ expires }: ResolvedPolicy): string {
  return expires === NEVER ? ALWAYS : `variables.created < timestamp("${formatTime(expires)}")`;
}

function selectorText(selector: LabelSelector): string {
  return selectorCel(selector, 'variables.namespaceLabels');
}

/**
 * For each priority but the highest, a variable that says whether a policy with a higher one selects the namespace.
 * @param text the beginning of their names, and CEL, bool: whether the policy at an index selects
 */
export function overrides(
  policies: readonly ResolvedPolicy[],
  { name, selects }: { readonly name: string; selects(index: number): string },
): { overridden(policy: ResolvedPolicy): string | undefined; variables: Variable[] } {
  const priorities = [...new Set(policies.map(({ priority }) => priority))].sort((a, b) => b - a);
  const variable = (rank: number) => `variables.${name}${rank}`;
  return {
    overridden(policy) {
      const rank = priorities.indexOf(policy.priority);
      return rank === 0 ? undefined : variable(rank);
    },
    variables: priorities.slice(1).map((_, i) => {
      const next = policies.flatMap(({ priority }, index) => (priority === priorities[i] ? [selects(index)] : []));
      return { name: `${name}${i + 1}`, expression: [...(i === 0 ? [] : [variable(i)]), ...next].join(' || ') };
    }),
  };
}

/** Whether the policy decides in every namespace that the admission policy matches, as long as it has not expired. */
export function decidesEverywhere({ matches, current, decides }: CandidatePolicy): boolean {
  return matches === ALWAYS && decides === current;
}

/** Adds `variables.allowed` (bool) and `variables.message` (string, one line under 5 KiB). */
export function decisionVariables(candidates: readonly CandidatePolicy[]): Variable[] {
  return [
    {
      name: 'allowed',
      expression: candidates.map(settles).join(' || '),
    },
    ...reasonVariables(candidates),
  ];
}

/** CEL, bool: the policy decides, and admits the unchanged pod. */
export function settles({ decides, admits }: CandidatePolicy): string {
  return decides === ALWAYS ? `(${admits})` : `(${decides} && ${admits})`;
}

/** Few variables, since each costs something (`needed`), with texts that the API server accepts. */
function reasonVariables(candidates: readonly CandidatePolicy[]): Variable[] {
  const reasons = candidates.map((candidate) => reasonCel(candidate, candidates.length));
  const groups = Array.from({ length: Math.ceil(reasons.length / REASONS_TOGETHER) }, (_, i) => ({
    name: `reasons${i}`,
    expression: `[${reasons.slice(i * REASONS_TOGETHER, (i + 1) * REASONS_TOGETHER).join(', ')}].filter(r, r != "").join(" | ")`,
  }));
  return [...groups, { name: 'message', expression: oneLine(groups.map(({ name }) => `variables.${name}`)) }];
}

/**
 * CEL, bool: whether the pod's service account or its creator may use the policy. An authorizer check costs 350,000 of
 * the 1,000,000 that the API server grants an expression.
 */
function mayUseCel(policy: string): string {
  const check = `.group("${GROUP}").resource("${PLURAL}").namespace(request.namespace).name(${JSON.stringify(policy)}).check("use").allowed()`;
  const serviceAccount = `authorizer.serviceAccount(request.namespace, variables.serviceAccount)${check}`;
  const creator = `(${RESOURCE} == "pods" ? authorizer${check} : variables.controller != "" && authorizer.serviceAccount("${CONTROLLER_NAMESPACE}", variables.controller)${check})`;
  return `${serviceAccount} || ${creator}`;
}

/** CEL, string: why this policy, one of several, does not admit the pod; empty where it does not decide. */
function reasonCel({ policy: { name }, decides, complies, violations }: CandidatePolicy, of: number): string {
  const notUsable = `the pod complies, but neither its service account nor its creator may use this policy (RBAC verb use on ${PLURAL}/${name}, which cluster administrators have by their wildcard verbs)`;
  const text = described(violations, Math.max(1, Math.floor(DESCRIBED / of)));
  return `${decides} ? ${JSON.stringify(`CapabilityPolicy ${name}: `)} + (${complies} ? ${JSON.stringify(notUsable)} : ${text}) : ""`;
}

/** CEL, string: the first items of a list(string), and the number of others. */
function described(list: string, count: number): string {
  const first = `[${Array.from({ length: count }, (_, i) => i).join(', ')}].filter(i, i < v.size()).map(i, v[i])`;
  const more = `(v.size() > ${count} ? "; and " + string(v.size() - ${count}) + " more" : "")`;
  return `[${list}].map(v, ${first}.join("; ") + ${more})[0]`;
}

function oneLine(reasons: readonly string[]): string {
  // Not a sum of lists: the API server's parser refuses more than 250 operators of the same kind in a row.
  const text = `[${reasons.join(', ')}].filter(r, r != "").join(" | ")`;
  const limit = `(m.matches("^[ -~]*$") ? ${MESSAGE_LENGTH} : ${MESSAGE_LENGTH_IF_NOT_ASCII})`;
  const cut = `[${text}].map(m, m.size() <= ${limit} ? m : m.substring(0, ${limit}) + "… (cut)")[0]`;
  return `${cut}.findAll(${JSON.stringify(PRINTABLE)}).join(" ")`;
}
