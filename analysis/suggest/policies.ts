/** Makes the policies to apply from suggestions. */
import {
  type CapabilityPolicy,
  type CapabilityPolicyOverrides,
  type CapabilityPolicySpec,
  type CompleteSpec,
  type LabelSelector,
  type Mode,
  NAME_LABEL,
} from '../../operator/api/capability-policy.ts';
import { newPolicy } from '../../operator/api/model.ts';
import { SPEC_DEFAULTS } from '../../operator/api/spec-defaults.ts';
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
  /** The names of existing policies, which no suggested policy may replace. */
  readonly taken?: Iterable<string>;
  /** The values of `spec.expires` and `spec.reason` of exceptions. */
  readonly terms?: Terms;
}

export interface Terms {
  readonly expires?: string;
  readonly reason?: string;
}

export interface SuggestedPolicy {
  readonly policy: CapabilityPolicy;
  /** The namespaces that the policy selects; empty if the policy is only for namespaces without workloads. */
  readonly suggestions: readonly Suggestion[];
  /** The exception that the policy grants; absent if the policy applies to everybody in its namespaces. */
  readonly exception?: Exception;
  /** The pending policy whose rules the policy enforces; absent for other policies. */
  readonly enforces?: string;
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
const LATEST = SPEC_DEFAULTS.levelVersion;
const LEVELS: readonly SuggestedLevel[] = ['restricted', 'baseline'];

/**
 * Writes the policies of suggestions. Exceptions precede the policies that they loosen.
 *
 * Where policies decide already, only exceptions beside them are written. In all other namespaces, one policy has the
 * level, and the exceptions have its selector. The API server therefore makes one decision for the level and its
 * exceptions (docs/decisions/0006). Namespaces that need only the same level share a policy.
 */
export function policiesOf(suggestions: readonly Suggestion[], options: PolicyOptions): SuggestedPolicy[] {
  const names = new Names(options.taken);
  const { name, mode, everywhere, terms = {} } = options;
  const ownName = ({ namespace }: Suggestion) => {
    if (name === undefined) return namespace;
    return suggestions.length === 1 && !everywhere ? name : `${name}-${namespace}`;
  };
  const exceptionsOf = (own: Suggestion, prefix: string) =>
    own.exceptions.map((exception) => ({
      policy: newPolicy(names.unique(`${prefix}-${subjectOf(exception)}`), exceptionSpec(exception, own, mode, terms)),
      suggestions: [own],
      exception,
    }));
  const beside = suggestions.filter((one) => one.beside);
  const levels = levelPolicies(suggestions.filter(hasLevel), options).flatMap(
    ({ level, selector, suggestions, own }) => {
      const base = names.unique(own ? ownName(own) : `${name ?? 'suggested'}-${level}`);
      const policy = newPolicy(base, { namespaceSelector: selector, level, mode, ...overridden(own?.overrides ?? {}) });
      return [...(own ? exceptionsOf(own, base) : []), { policy, suggestions }];
    },
  );
  return [
    ...beside.flatMap((own) => exceptionsOf(own, ownName(own))),
    ...enforcedCopies(beside, (wanted) => names.unique(wanted)),
    ...levels,
  ];
}

type LevelSuggestion = Suggestion & { readonly level: SuggestedLevel };

function hasLevel(suggestion: Suggestion): suggestion is LevelSuggestion {
  return suggestion.beside === undefined;
}

function exceptionSpec(
  exception: Exception,
  { namespace, beside }: Suggestion,
  mode: Mode,
  { expires, reason }: Terms,
): CapabilityPolicySpec {
  const { level, byContainer, serviceAccounts } = exception;
  const { levelVersion = LATEST } = beside?.base ?? {};
  return {
    namespaceSelector: { matchLabels: { [NAME_LABEL]: namespace } },
    level,
    ...(levelVersion !== LATEST && { levelVersion }),
    mode: beside?.mode ?? mode,
    ...(beside && beside.priority !== 0 && { priority: beside.priority }),
    ...(expires !== undefined && { expires }),
    ...(reason !== undefined && { reason }),
    usableBy: 'Subjects',
    subjects: serviceAccounts.map((name) => ({ kind: 'ServiceAccount' as const, namespace, name })),
    ...overridden(byContainer?.overrides ?? exception.overrides),
    ...(byContainer && {
      containers: byContainer.containers.map(({ names, images, overrides }) => ({
        names: [...names],
        ...(images && { images: [...images] }),
        overrides,
      })),
    }),
  };
}

/**
 * Copies of pending policies, for the namespaces that get exceptions. Where a policy is pending, an exception in mode
 * Enforce would decide alone, and would refuse everything that only the pending policy admits.
 */
function enforcedCopies(beside: readonly Suggestion[], unique: (wanted: string) => string): SuggestedPolicy[] {
  const excepted = beside.filter(({ exceptions }) => exceptions.length > 0);
  const pending = new Map(excepted.flatMap((one) => [...(one.beside?.pending ?? [])]));
  return [...pending].flatMap(([name, spec]) =>
    inChunks(excepted.filter((one) => one.beside?.pending.has(name))).map((suggestions) => ({
      policy: newPolicy(unique(`${name}-beside-exceptions`), {
        ...withoutDefaults(spec),
        namespaceSelector: selectorOf(suggestions),
        mode: 'Enforce' as const,
      }),
      suggestions,
      enforces: name,
    })),
  );
}

function withoutDefaults({ rollout: _, ...spec }: CompleteSpec): CapabilityPolicySpec {
  const stated = Object.entries(spec).filter(([field, value]) => (SPEC_DEFAULTS as Fields)[field] !== value);
  return Object.fromEntries(stated) as unknown as CapabilityPolicySpec;
}

type Fields = Readonly<Record<string, unknown>>;

function levelPolicies(
  suggestions: readonly LevelSuggestion[],
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

function sharedPolicy(suggestions: NonEmpty<LevelSuggestion>): LevelPolicy {
  const [first, ...others] = suggestions;
  const selector = selectorOf(suggestions);
  return { level: first.level, selector, suggestions, ...(others.length === 0 && { own: first }) };
}

type NonEmpty<Item> = readonly [Item, ...Item[]];

function selectorOf(suggestions: NonEmpty<Suggestion>): LabelSelector {
  const values = suggestions.map((one) => one.namespace);
  return suggestions.length === 1
    ? { matchLabels: { [NAME_LABEL]: suggestions[0].namespace } }
    : { matchExpressions: [{ key: NAME_LABEL, operator: 'In', values }] };
}

/** The tightest level among the suggestions, which is the level for new namespaces. */
function tightestOf(suggestions: readonly LevelSuggestion[]): SuggestedLevel {
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

function inChunks<One extends Suggestion>(suggestions: readonly One[]): NonEmpty<One>[] {
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
  readonly #used: Set<string>;

  constructor(taken: Iterable<string> = []) {
    this.#used = new Set(taken);
  }

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
