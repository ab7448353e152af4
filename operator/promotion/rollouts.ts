/** The rollouts of all policies, and the labels that a namespace should have because of these rollouts. */
import {
  type CompletePolicy,
  type CompleteSpec,
  ROLLOUT_ENFORCED,
  ROLLOUT_LABEL_PREFIX,
  ROLLOUT_PENDING,
} from '../api/capability-policy.ts';
import type { NamespaceView } from '../model/objects.ts';
import { policyOfLabel, rolloutLabel, type Stage } from '../policy/parts.ts';
import type { Labels } from '../policy/selector.ts';
import { isRecorded, recordedRollouts } from './enforced-record.ts';
import { isGuarded } from './rollout-namespace.ts';
import { isLabelled, isPending, leftOutByName, type RolloutState, rollsOut } from './state.ts';

/** The labels of rollouts that a namespace should have, and the labels to remove. */
export interface RolloutLabels {
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
}

/**
 * The maximum number of policies that the operator does not know and keeps in the record of a namespace. Anybody who
 * creates a namespace may write its record.
 */
const MOST_UNKNOWN = 64;

type Namespace = Pick<NamespaceView, 'name' | 'uid' | 'labels' | 'recorded'>;

export class Rollouts {
  /** The states of rollouts. The key is the policy's name. */
  readonly #states = new Map<string, RolloutState>();
  /**
   * The namespaces that have had the label of a rollout. Each item is a string with the name and the uid of the
   * namespace, and the label.
   */
  readonly #labelled = new Set<string>();
  /** The policies whose rollouts are over. The records of namespaces need not say where they are enforced. */
  readonly #over = new Set<string>();
  /** No policy and no admission policy uses these labels any more, so the labels can be removed. */
  #unused: ReadonlySet<string> = new Set();

  get(policy: string): RolloutState | undefined {
    return this.#states.get(policy);
  }

  set(policy: string, state: RolloutState): void {
    this.#states.set(policy, state);
    this.#over.delete(policy);
  }

  /** Records that the policy has no rollout any more, or was deleted long ago. */
  end(policy: string): void {
    this.#over.add(policy);
  }

  delete(policy: string): void {
    this.#states.delete(policy);
    // While a policy rests, anybody may remove the rollout's labels. The operator sets the labels again when the
    // rollout continues.
    const ending = ` ${rolloutLabel(policy)}`;
    for (const key of this.#labelled) if (key.endsWith(ending)) this.#labelled.delete(key);
  }

  /** Forgets the labels of a deleted namespace. */
  forget(namespace: string): void {
    for (const key of this.#labelled) if (key.startsWith(`${namespace} `)) this.#labelled.delete(key);
  }

  /** Forgets all states and labels. Call this method at the beginning and at the end of a term. */
  clear(): void {
    this.#states.clear();
    this.#labelled.clear();
    this.#over.clear();
    this.#unused = new Set();
  }

  set unused(labels: ReadonlySet<string>) {
    this.#unused = labels;
  }

  /**
   * The labels that a namespace will have after the operator has written the labels of the rollouts. A rollout's label
   * that the operator has not written yet counts as present.
   */
  effective({ name, uid, labels }: Namespace): Labels {
    const entries = [...this.#states].flatMap(([policy, { namespaces }]) => {
      const entry = namespaces.get(name);
      return entry?.uid === uid ? [[rolloutLabel(policy), entry] as const] : [];
    });
    if (entries.length === 0) return labels;
    const effective: Record<string, string> = { ...labels };
    for (const [label, entry] of entries) {
      if (isPending(entry)) effective[label] = ROLLOUT_PENDING;
      else delete effective[label];
    }
    return effective;
  }

  /** Records that a rollout labelled its pending namespaces in an earlier term. */
  wereLabelled(policy: string, { namespaces }: RolloutState): void {
    for (const [name, entry] of namespaces) {
      if (isLabelled(entry)) this.#labelled.add(labelledKey({ name, uid: entry.uid }, rolloutLabel(policy)));
    }
  }

  /**
   * @param set the labels that the namespace should have
   * @returns the labels of `set` that the namespace had earlier and has lost
   */
  missingAgain({ name, uid, labels }: Namespace, set: RolloutLabels['set']): string[] {
    return Object.entries(set).flatMap(([label, value]) => {
      const key = labelledKey({ name, uid }, label);
      if (labels[label] !== value) return this.#labelled.delete(key) ? [label] : [];
      this.#labelled.add(key);
      return [];
    });
  }

  /**
   * The sorted labels of the rollouts whose policies are enforced in the namespace, for the record on the namespace. The
   * record keeps what it says about a policy that is not known, that rests, or that is not in force yet.
   */
  enforcedIn(namespace: Namespace): string[] {
    const known = [...this.#states].flatMap(([policy, state]) => {
      const label = rolloutLabel(policy);
      return isEnforcedIn(namespace, state, label) ? [label] : [];
    });
    const others = recordedRollouts(namespace).filter((label) => {
      const policy = policyOfLabel(label);
      return !this.#states.has(policy) && !this.#over.has(policy);
    });
    return [...known, ...others.slice(0, MOST_UNKNOWN)].sort();
  }

  labelsOf({ name, uid, labels }: Namespace): RolloutLabels {
    const set: Record<string, string> = {};
    const remove: string[] = [];
    for (const [policy, { namespaces }] of this.#states) {
      const entry = namespaces.get(name);
      const label = rolloutLabel(policy);
      if (entry?.uid !== uid) continue;
      // Somebody promoted the namespace by setting the label to `enforced`. The next step records this decision.
      if (isPending(entry) && labels[label] === ROLLOUT_ENFORCED) continue;
      if (isLabelled(entry)) set[label] = ROLLOUT_PENDING;
      else if (Object.hasOwn(labels, label)) remove.push(label);
    }
    for (const label of rolloutLabelsIn(labels)) {
      if (Object.hasOwn(set, label)) continue;
      if (this.#unused.has(label)) remove.push(label);
      // The operator does not know the state of this label's rollout yet. The result contains the label. If the result
      // left out the label, server-side apply would remove the label from the namespace.
      else if (labels[label] === ROLLOUT_PENDING && !remove.includes(label)) set[label] = ROLLOUT_PENDING;
    }
    return { set, remove: remove.sort() };
  }
}

function isEnforcedIn(namespace: Namespace, state: RolloutState, label: string): boolean {
  const entry = state.namespaces.get(namespace.name);
  const own = entry?.uid === namespace.uid ? entry : undefined;
  if (own && isPending(own)) return false;
  const isUndecided = state.inForce === undefined || (!own && namespace.labels[label] !== undefined);
  return isUndecided ? isRecorded(namespace, label) : isGuarded(state, namespace);
}

function labelledKey({ name, uid }: Pick<Namespace, 'name' | 'uid'>, label: string): string {
  return `${name} ${uid} ${label}`;
}

/** The keys of the labels of rollouts. */
export function rolloutLabelsIn(labels: Labels): string[] {
  return Object.keys(labels).filter((key) => key.startsWith(ROLLOUT_LABEL_PREFIX));
}

/**
 * Whether some policy may be pending in a namespace with these labels. In a pending namespace, every pod and workload
 * counts for the promotion.
 */
export function hasPendingLabel(labels: Labels): boolean {
  return rolloutLabelsIn(labels).some((key) => labels[key] === ROLLOUT_PENDING);
}

/**
 * The stage of each rollout. The key is the policy's name.
 *
 * @param existing the specs of the enforced parts that exist. The key is the policy's name
 * @param leftOut the names of the namespaces that an enforced part leaves out by name. The key is the policy's name
 */
export function stagesOf(
  policies: readonly CompletePolicy[],
  rollouts: Pick<Rollouts, 'get'>,
  existing: ReadonlyMap<string, CompleteSpec>,
  leftOut: ReadonlyMap<string, readonly string[]>,
): Map<string, Stage> {
  return new Map(
    policies.map(({ metadata, spec }) => {
      const { name = '', uid = '' } = metadata ?? {};
      const state = rollouts.get(name);
      const { selector, ...stage } =
        state?.uid === uid ? stageOf(state) : stageWithoutState(existing.get(name), leftOut.get(name));
      // If the policy's mode is not Enforce, the newest selector applies at once.
      return [name, { ...stage, ...(selector && rollsOut(spec) && { selector }) }] as const;
    }),
  );
}

/**
 * The names of the policies for which programs and labels must wait for the controller of promotions. The controller
 * may still have to read, write or delete the state of the policy's rollout. Only the saved state of a rollout shows
 * where the policy must not be enforced. While a rollout has no state, nothing guards the labels of the rollout.
 */
export function awaitedOf(
  policies: readonly CompletePolicy[],
  specs: ReadonlyMap<string, CompleteSpec>,
  rollouts: Pick<Rollouts, 'get'>,
  hasExpired: (policy: string) => boolean,
): string[] {
  return policies.flatMap(({ metadata }) => {
    const { name = '', uid = '' } = metadata ?? {};
    const spec = specs.get(name);
    const isKnown = rollouts.get(name)?.uid === uid;
    if (!spec || (!isKnown && !rollsOut(spec))) return [];
    return isKnown === (rollsOut(spec) && !hasExpired(name)) ? [] : [name];
  });
}

function stageOf(state: RolloutState): Stage {
  const { begun, selector } = state;
  return { begun, ...(selector && { selector }), ...leavingOut(leftOutByName(state)) };
}

/**
 * The stage of a rollout before its state has been read. If the enforced part exists, the rollout has begun. The
 * enforced part then keeps its selector and the namespaces that it leaves out by name.
 */
function stageWithoutState(enforced: CompleteSpec | undefined, leftOut: readonly string[] = []): Stage {
  return enforced ? { begun: true, selector: enforced.namespaceSelector, ...leavingOut(leftOut) } : { begun: false };
}

function leavingOut(leftOut: readonly string[]): Pick<Stage, 'leftOut'> {
  return leftOut.length > 0 ? { leftOut } : {};
}
