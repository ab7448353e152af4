/**
 * Computes the namespaces that each policy selects, and the namespaces where each policy decides. Also finds the
 * policies that select some of the same namespaces.
 */
import type { CapabilityPolicyStatus, Mode } from '../api/capability-policy.ts';
import { NEVER } from './expiry.ts';
import type { ResolvedPolicy } from './resolve.ts';
import type { Labels } from './selector.ts';
import { SelectorIndex } from './selector-index.ts';

export interface Coverage {
  /** The sorted names of the selected namespaces. */
  readonly selected: readonly string[];
  /** The selected namespaces where the policy decides. */
  readonly deciding: readonly string[];
  /** After this policy expires, no policy of the same mode will decide in these selected namespaces. */
  readonly undecided: readonly string[];
  /**
   * The namespaces where the policy decides, grouped by the policy's mode. A policy with `rollout` has another mode in
   * pending namespaces.
   */
  readonly areas: readonly Area[];
  /** The other policies of the same mode that select some of the same namespaces, sorted by name. */
  readonly sharesWith: readonly SharesWith[];
  /**
   * Counts the deciding policies with restricted use in each namespace where this policy decides. The key is the
   * namespace. The map is empty for a policy that everyone may use.
   */
  readonly restricted: ReadonlyMap<string, number>;
}

/** The namespaces where a policy decides in one mode. */
export interface Area {
  readonly mode: Mode;
  readonly namespaces: readonly string[];
}

export type SharesWith = NonNullable<CapabilityPolicyStatus['sharesWith']>[number];

export interface Namespace {
  readonly name: string;
  readonly labels: Labels;
}

/** The names of the policies and namespaces that a change concerns. */
export interface Concerned {
  readonly policies: ReadonlySet<string>;
  readonly namespaces: ReadonlySet<string>;
}

const NOBODY: readonly ResolvedPolicy[] = [];

/**
 * Tracks the namespaces that each policy selects. Each change updates the tracked namespaces. A change of a namespace
 * causes work only for the policies that select the namespace.
 */
export class Selections {
  #index = new SelectorIndex<ResolvedPolicy>([]);
  /** The policies that select a namespace, in the order of all policies. The key is the namespace. */
  readonly #selecting = new Map<string, readonly ResolvedPolicy[]>();
  /** The names of the namespaces that each policy selects. The key is the policy's ID. */
  readonly #selected = new Map<string, Set<string>>();
  /** The cached coverage of each policy. The key is the policy's ID. */
  readonly #coverage = new Map<string, { readonly policy: ResolvedPolicy; readonly coverage: Coverage }>();

  /**
   * Replaces all policies and namespaces. A policy counts as unchanged if the object of the policy is the same as
   * before.
   */
  replace(policies: readonly ResolvedPolicy[], namespaces: readonly Namespace[]): Concerned {
    this.#index = new SelectorIndex(policies);
    this.#forgetExcept(new Set(policies));
    const there = new Set(namespaces.map(({ name }) => name));
    const gone = [...this.#selecting.keys()].filter((name) => !there.has(name));
    const concerned = { policies: new Set<string>(), namespaces: new Set<string>(gone) };
    for (const name of gone) for (const policy of this.#put(name, NOBODY)) concerned.policies.add(policy);
    for (const { name, labels } of namespaces) {
      const changed = this.#put(name, this.#index.selecting(labels));
      if (changed.size > 0) concerned.namespaces.add(name);
      for (const policy of changed) concerned.policies.add(policy);
    }
    return concerned;
  }

  /**
   * @param labels the value is undefined for a namespace that is deleted or excluded
   * @returns the names of the policies that select the namespace now, or selected the namespace before the change
   */
  update(namespace: string, labels: Labels | undefined): ReadonlySet<string> {
    return this.#put(namespace, labels ? this.#index.selecting(labels) : NOBODY);
  }

  /**
   * The policies that select the namespace. The method returns the same array until a policy that selects the namespace
   * changes.
   */
  selecting(namespace: string): readonly ResolvedPolicy[] {
    return this.#selecting.get(namespace) ?? NOBODY;
  }

  /** The unsorted namespaces that a resolved policy selects. @param policy the policy's ID */
  selectedBy(policy: string): Iterable<string> {
    return this.#selected.get(policy) ?? [];
  }

  coverage(policy: ResolvedPolicy): Coverage {
    const known = this.#coverage.get(policy.id);
    if (known?.policy === policy) return known.coverage;
    const coverage = this.#cover(policy);
    this.#coverage.set(policy.id, { policy, coverage });
    return coverage;
  }

  /**
   * @returns the names of the policies that select the namespace now, or selected the namespace before. If these
   * policies have not changed, the result is empty
   */
  #put(namespace: string, now: readonly ResolvedPolicy[]): ReadonlySet<string> {
    const before = this.selecting(namespace);
    if (now.length === before.length && now.every((policy, index) => policy === before[index])) return new Set();
    if (now.length > 0) this.#selecting.set(namespace, now);
    else this.#selecting.delete(namespace);
    const concerned = new Set<string>();
    for (const { id, name } of before) {
      concerned.add(name);
      this.#coverage.delete(id);
      if (!now.some((policy) => policy.id === id)) this.#deselect(id, namespace);
    }
    for (const { id, name } of now) {
      concerned.add(name);
      this.#coverage.delete(id);
      const selected = this.#selected.get(id);
      if (selected) selected.add(namespace);
      else this.#selected.set(id, new Set([namespace]));
    }
    return concerned;
  }

  /**
   * A policy that selects no namespace has a cached coverage, too. The loop over the namespaces does not find this
   * policy, so the method goes through all cached coverages.
   */
  #forgetExcept(policies: ReadonlySet<ResolvedPolicy>): void {
    for (const [id, { policy }] of this.#coverage) if (!policies.has(policy)) this.#coverage.delete(id);
  }

  /** @param policy the policy's ID */
  #deselect(policy: string, namespace: string): void {
    const selected = this.#selected.get(policy);
    selected?.delete(namespace);
    if (selected?.size === 0) this.#selected.delete(policy);
  }

  #cover(policy: ResolvedPolicy): Coverage {
    const selected = [...this.selectedBy(policy.id)].sort();
    const deciding: string[] = [];
    const undecided: string[] = [];
    const restricted = new Map<string, number>();
    const meets = new Map<ResolvedPolicy, number>();
    for (const namespace of selected) {
      const ofMode = this.selecting(namespace).filter(({ mode }) => mode === policy.mode);
      if (ofMode.every(({ priority }) => priority <= policy.priority)) {
        deciding.push(namespace);
        if (hasRestrictedUse(policy)) {
          const restrictedHere = ofMode.filter(
            (other) => other.priority === policy.priority && hasRestrictedUse(other),
          );
          restricted.set(namespace, restrictedHere.length);
        }
      }
      const lasting = ofMode.some(({ expires }) => expires > policy.expires);
      if (policy.expires !== NEVER && !lasting) undecided.push(namespace);
      for (const other of ofMode) if (other !== policy) meets.set(other, (meets.get(other) ?? 0) + 1);
    }
    const sharesWith = [...meets].map(([{ name, priority }, namespaces]) => ({
      policy: name,
      relation: relation(policy.priority, priority),
      namespaces,
    }));
    return {
      selected,
      deciding,
      undecided,
      areas: [{ mode: policy.mode, namespaces: deciding }],
      sharesWith: sharesWith.sort(byPolicy),
      restricted,
    };
  }
}

/** Merges the coverages of a policy's parts into one coverage. */
export function mergeCoverages(coverages: readonly Coverage[]): Coverage {
  const [first, ...others] = coverages;
  if (first && others.length === 0) return first;
  const shares = Map.groupBy(
    coverages.flatMap(({ sharesWith }) => sharesWith),
    ({ policy, relation }) => `${policy}\n${relation}`,
  );
  return {
    selected: coverages.flatMap(({ selected }) => selected).sort(),
    deciding: coverages.flatMap(({ deciding }) => deciding).sort(),
    undecided: coverages.flatMap(({ undecided }) => undecided).sort(),
    areas: coverages.flatMap(({ areas }) => areas),
    sharesWith: [...shares.values()]
      .map((same) => ({ ...(same[0] as SharesWith), namespaces: same.reduce((sum, one) => sum + one.namespaces, 0) }))
      .sort(byPolicy),
    restricted: new Map(coverages.flatMap(({ restricted }) => [...restricted])),
  };
}

function hasRestrictedUse({ usableBy }: ResolvedPolicy): boolean {
  return usableBy !== 'Everyone';
}

function byPolicy(a: SharesWith, b: SharesWith): number {
  return a.policy < b.policy ? -1 : 1;
}

function relation(own: number, others: number): SharesWith['relation'] {
  return own === others ? 'Shares' : own > others ? 'Overrides' : 'OverriddenBy';
}
