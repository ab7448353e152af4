/**
 * Splits a program into shards if the program would be too large. Each shard has a range of namespaces. A shard
 * contains the policies that select a namespace of the shard's range by name. Every shard also contains all policies
 * that do not select namespaces by name. Exactly one shard therefore decides in each namespace.
 */
import { createHash } from 'node:crypto';
import { type LabelSelector, NAME_LABEL } from '../api/capability-policy.ts';
import { perObject } from '../policy/memo.ts';
import { splitSelector } from '../policy/parts.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { keysOf, requiredValues, selectorCel } from '../policy/selector.ts';

export interface Shard {
  /**
   * The end of the program's name. The suffix identifies the shard's range of namespaces. The suffix is empty if there
   * is a single shard.
   */
  readonly suffix: string;
  /**
   * The selector selects exactly the namespaces where the shard's policies decide. Only shards for API servers without
   * variables have a selector (see `alike`).
   */
  readonly selector?: LabelSelector;
  /** The first namespace name of the shard. The field is absent in the first shard. */
  readonly from?: string;
  /** The first namespace name of the next shard. The field is absent in the last shard. */
  readonly to?: string;
  readonly policies: readonly ResolvedPolicy[];
}

/** The names at which shards begin: one namespace name for the second shard, and one for each later shard. */
type Boundaries = readonly string[];

/**
 * Splits policies into shards. If the range of a shard changes, the shard is another program. The class therefore
 * changes the boundaries between shards as rarely as possible.
 */
export class Partition {
  readonly #most: number;
  readonly #fits: Fits;
  #boundaries: Boundaries = [];

  /**
   * @param most the maximum number of characters that the rows of a shard may have
   * @param fits returns whether API servers accept a program of these policies. The maximum `most` applies in addition
   */
  constructor(most: number, fits: Fits = () => true) {
    this.#most = most;
    this.#fits = fits;
  }

  /** @param lengthOf returns the length of a policy's row, in characters */
  split(policies: readonly ResolvedPolicy[], lengthOf: (policy: ResolvedPolicy) => number): Shard[] {
    const isShort = (some: readonly ResolvedPolicy[]) => sum(some.map(lengthOf)) <= this.#most && this.#fits(some);
    if (isShort(policies)) this.#boundaries = [];
    else if (!this.#stillFits(policies, isShort)) {
      this.#boundaries = boundariesFor(policies, { lengthOf, most: this.#most, fits: this.#fits });
    }
    return shardsAt(this.#boundaries, policies);
  }

  #stillFits(policies: readonly ResolvedPolicy[], isShort: Fits): boolean {
    if (this.#boundaries.length === 0) return false;
    return shardsAt(this.#boundaries, policies).every((shard) => isShort(shard.policies));
  }
}

type Fits = (policies: readonly ResolvedPolicy[]) => boolean;

/**
 * Finds policies with restricted use that have the same selector and priority. These policies must overlap with no
 * other policy. On an API server without variables, one expression can check the right to use one policy. Each match
 * condition can check the right to use one further policy (docs/decisions/0016).
 */
export function alike(policies: readonly ResolvedPolicy[]): { shards: Shard[]; others: ResolvedPolicy[] } {
  const groups = Map.groupBy(policies, ({ selector, priority }) => `${priority} ${selectorCel(selector, 'l')}`);
  const shards: Shard[] = [];
  const others: ResolvedPolicy[] = [];
  for (const [key, group] of groups) {
    const [first] = group;
    const asking = group.filter(({ usableBy }) => usableBy !== 'Everyone');
    if (first && asking.length > 1) shards.push({ suffix: suffixOf(key), selector: first.selector, policies: group });
    else others.push(...group);
  }
  return { shards, others };
}

function suffixOf(key: string): string {
  return `-${createHash('sha256').update(key).digest('hex').slice(0, 8)}`;
}

/**
 * A CEL expression of type bool: true if the shard decides in the namespace.
 * @param namespace CEL of type string: the namespace's name
 */
export function ownsCel({ from, to }: Pick<Shard, 'from' | 'to'>, namespace: string): string | undefined {
  const conditions = [
    ...(from === undefined ? [] : [`${namespace} >= ${JSON.stringify(from)}`]),
    ...(to === undefined ? [] : [`${namespace} < ${JSON.stringify(to)}`]),
  ];
  return conditions.length === 0 ? undefined : conditions.join(' && ');
}

/**
 * The names of all namespaces that a policy can select. The result is undefined if the policy does not select by name.
 */
export const namesOf: (policy: ResolvedPolicy) => readonly string[] | undefined = perObject(({ selector }) => {
  const { own } = splitSelector(selector);
  const [required] = requiredValues(own);
  return required?.[0] === NAME_LABEL && keysOf(own).length === 1 ? required[1] : undefined;
});

/**
 * Computes the boundaries of the shards. The function goes through the namespace names in order. Each shard contains
 * all policies that do not select namespaces by name. Each shard also gets as many other policies as its program has
 * room for.
 */
function boundariesFor(policies: readonly ResolvedPolicy[], { lengthOf, most, fits }: ShardLimits): Boundaries {
  const [named, others] = [policies.flatMap(withNames), policies.filter((policy) => !namesOf(policy))];
  // Each shard has spare room for policies that are added later.
  const room = Math.max(most - sum(others.map(lengthOf)), most / 4) * 0.75;
  const byName = Map.groupBy(named, ([name]) => name);
  const boundaries: string[] = [];
  // The policies of the current shard. A policy that selects many namespaces by name is one row of a shard.
  const shard = new Set<ResolvedPolicy>();
  let length = 0;
  for (const [name, found] of [...byName].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const all = new Set(found.map(([, policy]) => policy));
    const more = sum([...all.difference(shard)].map(lengthOf));
    const isFull = length > 0 && (length + more > room || !fits([...others, ...shard.union(all)]));
    if (isFull) {
      boundaries.push(name);
      shard.clear();
    }
    length = isFull ? sum([...all].map(lengthOf)) : length + more;
    for (const policy of all) shard.add(policy);
  }
  return boundaries;
}

interface ShardLimits {
  readonly lengthOf: (policy: ResolvedPolicy) => number;
  readonly most: number;
  readonly fits: Fits;
}

function withNames(policy: ResolvedPolicy): [string, ResolvedPolicy][] {
  return (namesOf(policy) ?? []).map((name) => [name, policy]);
}

function shardsAt(boundaries: Boundaries, policies: readonly ResolvedPolicy[]): Shard[] {
  if (boundaries.length === 0) return [{ suffix: '', policies }];
  return [undefined, ...boundaries].map((from, i) => {
    const to = boundaries[i];
    const isIn = (name: string) => (from === undefined || name >= from) && (to === undefined || name < to);
    return {
      suffix: suffixOf(JSON.stringify([from, to])),
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      policies: policies.filter((policy) => namesOf(policy)?.some(isIn) ?? true),
    };
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
