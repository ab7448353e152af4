/** Makes the policies to apply from suggestions. */
import {
  type CapabilityPolicy,
  type CapabilityPolicyOverrides,
  type LabelSelector,
  type Mode,
  NAME_LABEL,
} from '../../operator/api/capability-policy.ts';
import { newPolicy } from '../../operator/api/model.ts';
import type { Level } from '../../operator/standards/level-version.ts';
import type { Exception } from './exceptions.ts';
import type { SuggestedLevel } from './level.ts';
import type { Suggestion } from './suggest.ts';

interface PolicyOptions {
  /** The prefix of all policy names; by default, the namespace's name. */
  readonly name?: string;
  readonly mode: Mode;
  /** Whether to write a policy for namespaces without workloads, too. */
  readonly everywhere: boolean;
  /** The level to start from in every namespace. */
  readonly level?: SuggestedLevel;
}

export interface SuggestedPolicy {
  readonly policy: CapabilityPolicy;
  /** The namespaces that the policy selects; empty if the policy is only for namespaces without workloads. */
  readonly suggestions: readonly Suggestion[];
  /** The exception that the policy grants; absent if the policy applies to everybody in its namespaces. */
  readonly exception?: Exception;
}

/** A policy for all namespaces that start from the same level. */
interface LevelPolicy {
  readonly level: SuggestedLevel;
  readonly selector: LabelSelector;
  readonly suggestions: readonly Suggestion[];
  /** The suggestion for the policy's only namespace; absent if several namespaces share the policy. */
  readonly own?: Suggestion;
}

/** The API's limits for the values in one expression of a selector, and for the number of expressions. */
const MOST_VALUES = 100;
const MOST_EXPRESSIONS = 16;
const LONGEST_NAME = 63;
const LEVELS: readonly SuggestedLevel[] = ['restricted', 'baseline'];

/**
 * Writes one policy with the level for each namespace, and the exceptions with the same selector. The API server
 * therefore makes one decision for the level and its exceptions (docs/decisions/0006). Namespaces that need only the
 * same level share a policy.
 */
export function policiesOf(suggestions: readonly Suggestion[], options: PolicyOptions): SuggestedPolicy[] {
  const names = new Names();
  const { name, mode, everywhere } = options;
  const ownName = ({ namespace }: Suggestion) => {
    if (name === undefined) return namespace;
    return suggestions.length === 1 && !everywhere ? name : `${name}-${namespace}`;
  };
  return levelPolicies(suggestions, options).flatMap(({ level, selector, suggestions: of, own }) => {
    const base = names.unique(own ? ownName(own) : `${name ?? 'suggested'}-${level}`);
    const common = (of: Level) => ({ namespaceSelector: selector, level: of, mode });
    const exceptions = (own?.exceptions ?? []).map((exception) => {
      const subjects = exception.serviceAccounts.map((name) => ({
        kind: 'ServiceAccount' as const,
        namespace: own?.namespace ?? '',
        name,
      }));
      const spec = { ...common(exception.level), usableBy: 'Subjects' as const, subjects };
      const policy = newPolicy(names.unique(`${base}-${subjectOf(exception)}`), {
        ...spec,
        ...overridden(exception.byContainer?.overrides ?? exception.overrides),
        ...(exception.byContainer && {
          containers: exception.byContainer.containers.map(({ names, overrides }) => ({
            names: [...names],
            overrides,
          })),
        }),
      });
      return { policy, suggestions: of, exception };
    });
    const policy = newPolicy(base, { ...common(level), ...overridden(own?.overrides ?? {}) });
    return [{ policy, suggestions: of }, ...exceptions];
  });
}

function levelPolicies(
  suggestions: readonly Suggestion[],
  { everywhere, level: wanted }: PolicyOptions,
): LevelPolicy[] {
  const plain = suggestions.filter(({ exceptions, stated }) => exceptions.length === 0 && stated.length === 0);
  const restLevel = everywhere ? (wanted ?? tightestOf(suggestions)) : undefined;
  const rest = plain.filter(({ level }) => level === restLevel);
  const others = suggestions.filter((suggestion) => !rest.includes(suggestion));
  const shared = LEVELS.flatMap((level) => inChunks(plain.filter((one) => one.level === level && !rest.includes(one))));
  return [
    ...(restLevel ? [{ level: restLevel, selector: allBut(others), suggestions: rest }] : []),
    ...shared.map(sharedPolicy),
    ...suggestions.filter((suggestion) => !plain.includes(suggestion)).map((own) => sharedPolicy([own])),
  ];
}

function sharedPolicy(suggestions: readonly [Suggestion, ...Suggestion[]]): LevelPolicy {
  const [first, ...others] = suggestions;
  const { level, namespace } = first;
  if (others.length === 0) {
    return { level, selector: { matchLabels: { [NAME_LABEL]: namespace } }, suggestions, own: first };
  }
  const values = suggestions.map((one) => one.namespace);
  return { level, selector: { matchExpressions: [{ key: NAME_LABEL, operator: 'In', values }] }, suggestions };
}

/** The tightest level among the suggestions, which is the level for new namespaces. */
function tightestOf(suggestions: readonly Suggestion[]): SuggestedLevel {
  return suggestions.length === 0 || suggestions.some(({ level }) => level === 'restricted')
    ? 'restricted'
    : 'baseline';
}

/**
 * A selector of all namespaces except the suggested ones. If there are too many suggested namespaces to name, the
 * selector selects all namespaces.
 */
function allBut(suggestions: readonly Suggestion[]): LabelSelector {
  const chunks = inChunks(suggestions);
  if (chunks.length === 0 || chunks.length > MOST_EXPRESSIONS) return {};
  return {
    matchExpressions: chunks.map((chunk) => ({
      key: NAME_LABEL,
      operator: 'NotIn',
      values: chunk.map(({ namespace }) => namespace),
    })),
  };
}

function inChunks(suggestions: readonly Suggestion[]): [Suggestion, ...Suggestion[]][] {
  const [first, ...others] = suggestions.slice(0, MOST_VALUES);
  return first ? [[first, ...others], ...inChunks(suggestions.slice(MOST_VALUES))] : [];
}

function overridden(overrides: CapabilityPolicyOverrides): { overrides?: CapabilityPolicyOverrides } {
  return Object.keys(overrides).length > 0 ? { overrides } : {};
}

/** The name of the workload; for several workloads, the name of their common service account. */
function subjectOf({ workloads: [first, ...others], serviceAccounts: [account] }: Exception): string {
  return (others.length > 0 ? account : first?.name) ?? '';
}

/** Makes valid, unique policy names. */
class Names {
  readonly #used = new Set<string>();

  unique(wanted: string): string {
    const valid = wanted.toLowerCase().replace(/[^a-z0-9.-]+/g, '-');
    for (let count = 1; ; count += 1) {
      const suffix = count === 1 ? '' : `-${count}`;
      const name = `${valid.slice(0, LONGEST_NAME - suffix.length).replace(/[.-]+$/, '')}${suffix}`;
      if (!this.#used.has(name)) {
        this.#used.add(name);
        return name;
      }
    }
  }
}
