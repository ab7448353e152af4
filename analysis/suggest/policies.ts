/** Makes policies from suggestions. Users can apply these policies. */
import type { CapabilityPolicy, LabelSelector, Mode } from '../../operator/api/capability-policy.ts';
import { newPolicy } from '../../operator/api/model.ts';
import type { Exception } from './exceptions.ts';
import type { SuggestedLevel } from './level.ts';
import { Names } from './names.ts';
import { allBut, inChunks, type NonEmpty, selectorOf } from './selectors.ts';
import { enforcedSpec, exceptionSpec, overridden, type Terms } from './specs.ts';
import type { Suggestion } from './suggest.ts';

interface PolicyOptions {
  /** The prefix of all policy names. The default is the namespace's name. */
  readonly name?: string;
  readonly mode: Mode;
  /** Whether one of the suggested policies must also apply to namespaces without workloads. */
  readonly everywhere: boolean;
  /** The level from which every namespace starts. */
  readonly level?: SuggestedLevel;
  /** The names of existing policies. A suggested policy must not have the name of an existing policy. */
  readonly taken?: Iterable<string>;
  /** The values of `spec.expires` and `spec.reason` of exceptions. */
  readonly terms?: Terms;
}

export interface SuggestedPolicy {
  readonly policy: CapabilityPolicy;
  /**
   * The suggestions for the namespaces that the policy selects. The list is empty if the policy is only for namespaces
   * without workloads.
   */
  readonly suggestions: readonly Suggestion[];
  /** The exception that the policy makes. The field is absent if the policy applies to everybody in its namespaces. */
  readonly exception?: Exception;
  /**
   * The name of the pending policy whose rules this policy enforces. If the policy enforces no pending policy, the
   * field is absent.
   */
  readonly enforces?: string;
  /** Whether the policy is for every namespace where no other policy decides. */
  readonly forOthers?: true;
}

/** A policy for all namespaces that start from the same level. */
interface LevelPolicy {
  readonly level: SuggestedLevel;
  readonly selector: LabelSelector;
  readonly suggestions: readonly Suggestion[];
  /**
   * The suggestion for the policy's namespace, if the policy has only one namespace. The field is absent if several
   * namespaces share the policy.
   */
  readonly own?: Suggestion;
}

const LEVELS: readonly SuggestedLevel[] = ['restricted', 'baseline'];

/**
 * Makes the policies for suggestions. Each exception precedes the policy that it loosens.
 *
 * If policies already decide in a namespace, the function writes only exceptions, in addition to these policies. In all
 * other namespaces, one policy sets the level, and the exceptions have the same selector as this policy. The API server
 * therefore makes one decision for the level and its exceptions (docs/decisions/0006). Namespaces that need only the
 * same level share a policy.
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

/**
 * Copies of pending policies for the namespaces that get exceptions. If a policy is pending in a namespace, an
 * exception in mode Enforce would be the only deciding policy in the namespace. The exception would refuse everything
 * that only the pending policy admits.
 */
function enforcedCopies(beside: readonly Suggestion[], unique: (wanted: string) => string): SuggestedPolicy[] {
  const excepted = beside.filter(({ exceptions }) => exceptions.length > 0);
  const pending = new Map(excepted.flatMap((one) => [...(one.beside?.pending ?? [])]));
  return [...pending].flatMap(([name, spec]) =>
    inChunks(excepted.filter((one) => one.beside?.pending.has(name))).map((suggestions) => ({
      policy: newPolicy(unique(`${name}-beside-exceptions`), enforcedSpec(spec, namespacesOf(suggestions))),
      suggestions,
      enforces: name,
    })),
  );
}

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
    ...(restLevel ? [{ level: restLevel, selector: allBut(namespacesOf(others)) ?? {}, suggestions: rest }] : []),
    ...shared.map(sharedPolicy),
    ...suggestions.filter((suggestion) => !plain.includes(suggestion)).map((own) => sharedPolicy([own])),
  ];
}

function sharedPolicy(suggestions: NonEmpty<LevelSuggestion>): LevelPolicy {
  const [first, ...others] = suggestions;
  const selector = selectorOf(namespacesOf(suggestions));
  return { level: first.level, selector, suggestions, ...(others.length === 0 && { own: first }) };
}

function namespacesOf(suggestions: readonly Suggestion[]): string[] {
  return suggestions.map(({ namespace }) => namespace);
}

/** The strictest level among the suggestions. New namespaces get this level. */
function tightestOf(suggestions: readonly LevelSuggestion[]): SuggestedLevel {
  return suggestions.length === 0 || suggestions.some(({ level }) => level === 'restricted')
    ? 'restricted'
    : 'baseline';
}

/**
 * The name of the workload. If the exception is for several workloads, the result is the name of their common service
 * account.
 */
function subjectOf({ workloads: [first, ...others], serviceAccounts: [account] }: Exception): string {
  return (others.length > 0 ? account : first?.name) ?? '';
}
