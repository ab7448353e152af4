/** Workloads → the tightest policy that admits them all. */
import type { CapabilityPolicyOverrides } from '../api/capability-policy.ts';
import type { PodParts } from '../cluster/objects.ts';
import { RULES } from '../rules/index.ts';
import type { Rule, Stated } from '../rules/rule.ts';
import type { Level, Standard } from '../standards/level-version.ts';
import { type Need, needsOf, obstaclesOf } from './suggest-needs.ts';
import { judgingBy, overridesOf } from './suggest-stated.ts';
import type { Evaluator } from './violations.ts';
import type { WorkloadName } from './workloads.ts';

/** A pod, or the template that pods will come from, and whose it is. */
export interface Given {
  readonly workload: WorkloadName;
  readonly parts: PodParts;
  readonly template: boolean;
}

export interface SuggestOptions {
  /** What the suggested level means: its version, and the oldest API server's. */
  readonly standard: Omit<Standard, 'level'>;
  /** Only this one. */
  readonly level?: Exclude<Level, 'privileged'>;
  /** Also narrow what the level leaves wider than these workloads need; never with level privileged. */
  readonly narrow?: boolean;
  readonly evaluator: Evaluator;
}

export interface Suggestion {
  readonly level: Level;
  readonly overrides: CapabilityPolicyOverrides;
  /** The same overrides one by one, in the order of the API. */
  readonly stated: readonly StatedOverride[];
  /** The overrides that each level would need; a level that is missing cannot admit the workloads. */
  readonly considered: Partial<Readonly<Record<Level, readonly string[]>>>;
  /** With level privileged: what no override of the other levels admits. */
  readonly obstacles: readonly Need[];
}

/** An override that can be left out on its own: then the level decides. */
export interface StatedOverride {
  /** Below `spec.overrides`: `capabilities.allowedAdd`. */
  readonly path: string;
  readonly value: unknown;
  /** By workload, container and entry; none when the override only narrows. */
  readonly needs: readonly Need[];
}

/** Of fewer, a tight level with its exceptions is still the better start. */
const CLEARLY_FEWER = 3;

/**
 * Level restricted with the overrides that the workloads need, unless baseline needs at least three fewer; privileged
 * only when neither can be made to admit them.
 *
 * Every override is needed: without it, the level refuses some of the workloads (with `narrow`, or admits more than
 * they need). Lists hold what the workloads use and nothing else.
 */
export function suggest(given: readonly Given[], options: SuggestOptions): Suggestion {
  const pods = given.map(({ parts, template }) => (template ? withToken(parts) : parts));
  const distinct = [...new Map(pods.map((pod) => [JSON.stringify(pod), pod])).values()];
  const at = (level: Level, narrow = false) =>
    statedFor(distinct, { ...options.standard, level }, narrow, options.evaluator);
  const levels = options.level ? [options.level] : (['restricted', 'baseline'] as const);
  const found = levels.flatMap((level) => {
    const stated = at(level);
    return stated ? [{ level: level as Level, stated }] : [];
  });
  const [first, second] = found;
  const best = first && second && size(first) - size(second) >= CLEARLY_FEWER ? second : first;
  const { level, stated } = best ?? { level: 'privileged' as const, stated: {} };
  const final = options.narrow && best ? (at(level, true) ?? stated) : stated;
  const judged = given.map(({ workload }, i) => ({ workload, parts: pods[i] as PodParts }));
  const needs = needsOf(final, judged, { ...options.standard, level }, options.evaluator);
  return {
    level,
    overrides: overridesOf(final),
    stated: Object.entries(final).map(([path, value]) => ({ path, value, needs: needs.get(path) ?? [] })),
    considered: Object.fromEntries(found.map((one) => [one.level, Object.keys(one.stated)])),
    obstacles: best
      ? []
      : obstacles(distinct, judged, { ...options.standard, level: levels.at(-1) ?? 'baseline' }, options.evaluator),
  };
}

function obstacles(
  pods: readonly PodParts[],
  judged: Parameters<typeof obstaclesOf>[1],
  standard: Standard,
  evaluator: Evaluator,
): Need[] {
  const rules = RULES.filter((rule) => statedOf(rule, pods, standard, false, evaluator) === undefined);
  return obstaclesOf(rules, judged, standard, evaluator);
}

function size({ stated }: { readonly stated: Stated }): number {
  return Object.keys(stated).length;
}

/** @returns undefined when no overrides make the level admit the pods */
function statedFor(
  pods: readonly PodParts[],
  standard: Standard,
  narrow: boolean,
  evaluator: Evaluator,
): Stated | undefined {
  const all = RULES.map((rule) => statedOf(rule, pods, standard, narrow, evaluator));
  return all.includes(undefined) ? undefined : Object.assign({}, ...all);
}

function statedOf(
  rule: Rule,
  pods: readonly PodParts[],
  standard: Standard,
  narrow: boolean,
  evaluator: Evaluator,
): Stated | undefined {
  const admits = (stated: Stated) => {
    const judging = judgingBy(rule, stated, standard);
    return pods.every((pod) => evaluator.violations(pod, judging).length === 0);
  };
  const admitted = admits({});
  if (admitted && !narrow) return {};
  const { asks = [], choices } = rule.fit(standard);
  const answers = pods.flatMap((pod) => asks.flatMap((asking) => evaluator.asked(pod, asking)));
  const asked = [...new Map(answers.map((answer) => [JSON.stringify(answer), answer])).values()];
  const choice = choices(asked).find(admits);
  if (!choice) return admitted ? {} : undefined;
  const text = (stated: Stated) => JSON.stringify(judgingBy(rule, stated, standard).checks);
  return Object.keys(choice).reduce<Stated>((stated, path) => {
    const { [path]: _, ...rest } = stated;
    const needless = admits(rest) && !(narrow && text(rest) !== text(stated));
    return needless ? rest : stated;
  }, choice);
}

/**
 * The API server adds a volume with the service account's token to nearly every pod: a template's pods have it, too.
 * (k8s.io/kubernetes/plugin/pkg/admission/serviceaccount)
 */
function withToken({ annotations, spec }: PodParts): PodParts {
  const volumes = [...(spec.volumes ?? []), { name: 'kube-api-access', projected: {} }];
  return { annotations, spec: { ...spec, volumes } };
}
