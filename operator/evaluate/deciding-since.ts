/**
 * Knows since when the current policies of a namespace decide about pods. A controller that an API server refused waits
 * up to minutes before it tries again, so its last refusal may be older than the current policies.
 */

import type { ResolvedPolicy } from '../policy/resolve.ts';
import type { Labels } from '../policy/selector.ts';
import { type DecidedSince, ENFORCE_LABEL } from './refused.ts';

/** The inputs of the API server's decision about a pod in a namespace. */
interface Deciders {
  /** The deciding Enforce policies. */
  readonly policies: readonly ResolvedPolicy[];
  /** Returns the users of a policy. The result stays the same object until a right changes. */
  rightsTo(policy: string): unknown;
  readonly labels: Labels;
}

/** How far a policy is in force. */
interface Programmed {
  readonly state: string;
  /** The hash of the policy's newest row. */
  readonly row: string;
}

interface Known {
  readonly policies: readonly ResolvedPolicy[];
  readonly rights: readonly unknown[];
  readonly level: string | undefined;
  /** The times of the last changes, in milliseconds since 1970. Before the first change, the time is 0. */
  readonly policiesChanged: number;
  readonly levelChanged: number;
}

/**
 * A refusal that the operator hears of within this time in ms after a policy came into force may still come from the
 * earlier policies.
 */
const LATE_MS = 1_000;
/** If the operator cannot prove within this time in ms that a policy is in force, refusals count again. */
const MOST_UNPROVEN_MS = 30_000;

export class DecidingSince {
  readonly #known = new Map<string, Known>();
  /** Since when the newest row of each policy has been in force. The key is the policy's name. */
  readonly #inForce = new Map<string, { readonly row: string; readonly at: number }>();

  /** Records the outcome of a policy. @param now the time in milliseconds since 1970 */
  see(policy: string, outcome: Programmed | undefined, now: number): void {
    if (!outcome) this.#inForce.delete(policy);
    else if (outcome.state === 'InForce' && this.#inForce.get(policy)?.row !== outcome.row) {
      this.#inForce.set(policy, { row: outcome.row, at: now });
    }
  }

  /**
   * Records the deciders of a namespace, and returns since when they decide.
   *
   * @param outcomes the outcomes of policies. The key is the policy's name
   */
  of(
    namespace: string,
    { policies, rightsTo, labels }: Deciders,
    outcomes: ReadonlyMap<string, Programmed>,
    now: number,
  ): DecidedSince {
    const before = this.#known.get(namespace);
    const rights = policies.map(({ name, usableBy }) => (usableBy === 'Everyone' ? undefined : rightsTo(name)));
    const level = labels[ENFORCE_LABEL];
    const isSame = !before || (isSameList(before.policies, policies) && isSameList(before.rights, rights));
    // Without earlier policies, a program that refuses pods has the current policies.
    const policiesChanged = isSame ? (before?.policiesChanged ?? 0) : before.policies.length === 0 ? 0 : now;
    const levelChanged = !before || before.level === level ? (before?.levelChanged ?? 0) : now;
    this.#known.set(namespace, { policies, rights, level, policiesChanged, levelChanged });
    return { Program: this.#since(policies, policiesChanged, outcomes), PodSecurity: levelChanged };
  }

  forget(namespace: string): void {
    this.#known.delete(namespace);
  }

  #since(policies: readonly ResolvedPolicy[], changed: number, outcomes: ReadonlyMap<string, Programmed>): number {
    if (changed === 0) return 0;
    const times = policies.map(({ name }) => {
      const inForce = this.#inForce.get(name);
      return inForce && inForce.row === outcomes.get(name)?.row ? inForce.at : Number.POSITIVE_INFINITY;
    });
    return Math.min(Math.max(changed, ...times) + LATE_MS, changed + MOST_UNPROVEN_MS);
  }
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
