/**
 * Finds the uses of a topic in a pod. A use is a container that holds a capability, or a container or pod that a rule
 * is about.
 */
import type { Evaluator, Violation } from '../../operator/evaluate/violations.ts';
import { withContainers } from '../../operator/model/containers.ts';
import type { Container, PodContent } from '../../operator/model/objects.ts';
import { arrayOf, isText, objectOf } from '../../operator/model/raw.ts';
import type { Rule } from '../../operator/rules/rule.ts';
import { bareName } from '../capabilities/held-by-runtime.ts';
import { requests } from '../capabilities/held-request.ts';
import { CAPABILITY_RULES } from '../capabilities/holdable.ts';
import { type HowHeld, howHeld } from '../capabilities/how-held.ts';
import { type Beyond, type LevelPolicy, levelPolicies, onlyRules, type Reference, referenceFor } from './levels.ts';
import type { Topic } from './topic.ts';

export interface Use {
  /** The container in which the use was found; absent if the use is in a field or a volume of the pod. */
  readonly container?: string;
  /** How the container came to hold the capability. The field exists only for a capability. */
  readonly held?: HowHeld & { readonly inUserNamespace: boolean };
  /**
   * The messages of the loosest level that refuses the use. If no level restricts the rule, the list has the messages
   * of the reference override. The list is empty if all levels admit the use.
   */
  readonly messages: readonly string[];
  /** The loosest level that does not admit the use; null if every level admits the use. */
  readonly beyond: Beyond | null;
  /**
   * Returns the violations that are about this use.
   *
   * @param broken the violations of a pod and a policy
   * @param of a function that returns the violations of another pod and the same policy
   */
  refusals(broken: readonly Violation[], of: (content: PodContent) => readonly Violation[]): readonly Violation[];
}

/** Finds uses in pods. The finder compares pods with the override in the field `reference`. */
export interface UseFinder {
  /** Pods are compared with this override. The field exists only for a rule that no level restricts. */
  readonly reference?: string;
  usesIn(content: PodContent): Use[];
}

/** A topic whose uses can be found in pods and workloads. */
export type UseTopic = Exclude<Topic, { readonly kind: 'NamespaceLabel' }>;

interface Comparing {
  readonly evaluator: Evaluator;
  /** The minor version N of Kubernetes 1.N of the oldest API server. */
  readonly oldestServer: number;
}

export function useFinder(topic: UseTopic, comparing: Comparing): UseFinder {
  const levels = levelPolicies(comparing.oldestServer);
  return topic.kind === 'Capability'
    ? { usesIn: (content) => holdersIn(content, topic.name, { levels: only(levels, CAPABILITY_RULES), ...comparing }) }
    : ruleFinder(topic.rule, levels, comparing);
}

interface Levels {
  readonly evaluator: Evaluator;
  readonly levels: readonly LevelPolicy[];
}

function only(levels: readonly LevelPolicy[], rules: readonly string[]): LevelPolicy[] {
  return levels.map(({ level, policy }) => ({ level, policy: onlyRules(policy, rules) }));
}

function holdersIn(content: PodContent, capability: string, { levels, evaluator }: Levels): Use[] {
  return requests(content.spec).flatMap((request): Use[] => {
    const held = howHeld(request, capability);
    if (!held) return [];
    const without = withoutCapability(content, request.name, { capability, way: held.way });
    const refusals: Use['refusals'] = (broken, of) => {
      const left = new Set(of(without).map(textOf));
      const own = broken.filter((one) => CAPABILITY_RULES.includes(one.rule) && one.container === request.name);
      return own.filter((one) => !left.has(textOf(one)));
    };
    const byLevel = levels.map(({ level, policy }) => {
      const of = (pod: PodContent) => evaluator.violations(pod, policy);
      return { level, messages: refusals(of(content), of).map(({ message }) => message) };
    });
    const { level, messages } = byLevel.find((one) => one.messages.length > 0) ?? { level: null, messages: [] };
    const { name: container, inUserNamespace } = request;
    return [{ container, held: { ...held, inUserNamespace }, messages, beyond: level, refusals }];
  });
}

function textOf({ rule, container, message }: Violation): string {
  return JSON.stringify([rule, container, message]);
}

/**
 * A copy of the pod in which the container does not hold the capability. If a violation of the original pod is missing
 * in the copy, the violation is about the capability.
 */
function withoutCapability(
  { annotations, spec }: PodContent,
  name: string,
  { capability, way }: Pick<HowHeld, 'way'> & { readonly capability: string },
): PodContent {
  const change = (container: Container): Container => {
    const own = objectOf(container.securityContext);
    const { add, drop } = objectOf(own.capabilities);
    const kept = arrayOf(add).filter((one) => !isText(one) || ![capability, 'ALL'].includes(bareName(one)));
    const dropped = [...arrayOf(drop), way === 'ByDefault' ? 'ALL' : capability];
    return { ...container, securityContext: { ...own, privileged: false, capabilities: { add: kept, drop: dropped } } };
  };
  const changed = withContainers(spec, (list) => list.map((one) => (one.name === name ? change(one) : one)));
  return { annotations, spec: changed };
}

function ruleFinder(rule: Rule, all: readonly LevelPolicy[], { evaluator, oldestServer }: Comparing): UseFinder {
  const isLevels = only(all, [rule.id]).some(({ policy }) => policy.checks.length > 0);
  const reference = isLevels ? undefined : referenceFor(rule, oldestServer);
  const rules = [rule.id, ...guardOf(rule, all)];
  const usesIn = ruleUses({ rules, levels: only(all, rules), evaluator, reference });
  return { ...(reference && { reference: reference.text }), usesIn };
}

/**
 * In some cases, another rule must first admit the subject of the given rule. The result is that rule. For `hostPaths`,
 * this is `volumes`.
 */
function guardOf(rule: Rule, [loosest]: readonly LevelPolicy[]): string[] {
  const { guards } = loosest ? rule.fit(loosest.policy.standard) : {};
  return guards ? [guards.path] : [];
}

interface RuleUses extends Levels {
  /**
   * The rule of the question. If another rule must first admit the same subject, the list also has that other rule.
   */
  readonly rules: readonly string[];
  readonly reference: Reference | undefined;
}

function ruleUses({ rules, levels, evaluator, reference }: RuleUses): UseFinder['usesIn'] {
  return (content) => {
    const byLevel = levels.map(({ level, policy }) => ({
      level,
      found: byPart(evaluator.violations(content, policy)),
    }));
    const compared = reference && byPart(evaluator.violations(content, reference.policy));
    const places = compared ? [...compared.keys()] : [...new Set(byLevel.flatMap(({ found }) => [...found.keys()]))];
    return places.map((place): Use => {
      const beyond = byLevel.find(({ found }) => found.has(place));
      const violations = (compared ?? beyond?.found)?.get(place) ?? [];
      const container = violations[0]?.container;
      return {
        ...(container !== undefined && { container }),
        messages: violations.map(({ message }) => message),
        beyond: beyond?.level ?? null,
        // A pod may break the rule in a part that no level restricts, such as the mount of a hostPath volume.
        refusals: (broken) =>
          broken.filter((one) => {
            const part = partOf(one);
            return part === place ? rules.includes(one.rule) : one.rule === rules[0] && !places.includes(part);
          }),
      };
    });
  };
}

function byPart(violations: readonly Violation[]): Map<string, Violation[]> {
  return Map.groupBy(violations, partOf);
}

const PART = /^(?:initContainers|containers|ephemeralContainers|volumes)\[\d+\]/;

/** The path of the container or volume that breaks a rule. The path is empty if a field of the pod breaks the rule. */
function partOf({ path }: Violation): string {
  return PART.exec(path)?.[0] ?? '';
}
