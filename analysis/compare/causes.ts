/**
 * Finds the changes that cause a difference. A change causes a difference if the difference disappears when only this
 * change is undone.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CompleteSpec } from '../../operator/api/capability-policy.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { perObject } from '../../operator/policy/memo.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../operator/policy/resolve.ts';
import { type Labels, matches } from '../../operator/policy/selector.ts';
import type { TimeLimit } from './budget.ts';
import { decidingIn, withName } from './namespaces.ts';
import type { PolicySet } from './policy-set.ts';
import type { Use } from './uses.ts';
import type { Witnesses } from './witnesses.ts';

export interface Cause {
  readonly policy: string;
  /**
   * The value is `Added` if the policy is in force only in the new set, and `Removed` if the policy is in force only in
   * the old set.
   */
  readonly change: 'Added' | 'Removed' | 'Changed';
  /**
   * The paths of the changed fields, such as `spec.overrides.hostNetwork`. If the difference disappears when a single
   * field is undone, the list has only the fields for which this happens. The list is empty unless the policy is in
   * both sets.
   */
  readonly fields: readonly string[];
}

/** A pod that only one of the sets admits. */
interface Shown {
  readonly pod: PodContent;
  readonly labels: Labels;
  readonly use: Use;
  readonly direction: 'opens' | 'closes';
}

/** A policy that differs between the sets. A policy with a rollout has several parts (parts.ts). */
interface Change {
  readonly name: string;
  readonly old: readonly ResolvedPolicy[];
  readonly new: readonly ResolvedPolicy[];
}

/** A policy whose change is undone completely or in one field. */
interface Undone {
  readonly parts: readonly ResolvedPolicy[];
  /** The set of policies, old or new, that says whether the author of the pod may use the policy. */
  readonly use: 'old' | 'new';
}

/** The fields that say who may use a policy. */
const USE_FIELDS: readonly string[] = ['usableBy', 'subjects'] satisfies (keyof CompleteSpec)[];

/** Names of the fields below a policy. The fields of `overrides` count separately. */
type Field = readonly ['spec', string] | readonly ['spec', 'overrides', string];

export class Causes {
  readonly #new: PolicySet;
  readonly #witnesses: Witnesses;
  readonly #time: TimeLimit;
  readonly #old: PolicySet;
  #changes: readonly Change[] | undefined;
  /** The changed fields of a policy. Each field comes with the policy that has the old value of the field. */
  readonly #fieldsOf = perObject((change: Change) =>
    changedFields(change).map((field) => ({ field, undone: withUndone(change, field) })),
  );

  constructor(old: PolicySet, now: PolicySet, witnesses: Witnesses, time: TimeLimit) {
    this.#old = old;
    this.#new = now;
    this.#witnesses = witnesses;
    this.#time = time;
  }

  /** @throws TooLate */
  of(shown: Shown): Cause[] {
    this.#changes ??= changesBetween(this.#old.policies, this.#new.policies);
    const labels = withName(shown.labels);
    const selects = ({ selector }: ResolvedPolicy) => matches(selector, labels);
    return this.#changes
      .filter((one) => [...one.old, ...one.new].some(selects))
      .filter((one) => this.#disappears(shown, one, { parts: one.old, use: 'old' }))
      .map((one) => this.#cause(shown, one));
  }

  #cause(shown: Shown, change: Change): Cause {
    const { name, old, new: now } = change;
    if (old.length === 0) return { policy: name, change: 'Added', fields: [] };
    if (now.length === 0) return { policy: name, change: 'Removed', fields: [] };
    const changed = this.#fieldsOf(change);
    const alone = changed.filter(({ field, undone }) => {
      const use = USE_FIELDS.includes(field[1]) ? 'old' : 'new';
      return undone && this.#disappears(shown, change, { parts: [undone], use });
    });
    const fields = (alone.length > 0 ? alone : changed).map(({ field }) => field.join('.'));
    return { policy: name, change: 'Changed', fields };
  }

  /** Whether the difference disappears if the parts in `undone` replace the policy's parts in the new set. */
  #disappears({ pod, labels, use, direction }: Shown, { name }: Change, undone: Undone): boolean {
    this.#time.checkTime();
    const policies = decidingIn({
      policies: [...this.#new.policies.filter((one) => one.name !== name), ...undone.parts],
      labels,
    });
    const [before, now] = direction === 'opens' ? [use.refusing, use.admitting] : [use.admitting, use.refusing];
    const ofPolicy = undone.use === 'old' ? before : now;
    const usable = [...now.filter((one) => one !== name), ...ofPolicy.filter((one) => one === name)];
    return this.#witnesses.isAdmitted(pod, { policies, usable }) !== (direction === 'opens');
  }
}

function changesBetween(old: readonly ResolvedPolicy[], now: readonly ResolvedPolicy[]): Change[] {
  const nameOf = ({ name }: ResolvedPolicy) => name;
  const [before, after] = [Map.groupBy(old, nameOf), Map.groupBy(now, nameOf)];
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names]
    .map((name) => ({ name, old: before.get(name) ?? [], new: after.get(name) ?? [] }))
    .filter(({ old: [a], new: [b] }) => !isDeepStrictEqual(a?.spec, b?.spec));
}

function changedFields({ old: [before], new: [after] }: Change): Field[] {
  const fieldsOf = ({ overrides = {}, ...spec }: Partial<CompleteSpec> = {}): Field[] => [
    ...Object.keys(spec).map((key) => ['spec', key] as const),
    ...Object.keys(overrides).map((key) => ['spec', 'overrides', key] as const),
  ];
  const all = [...fieldsOf(before?.spec), ...fieldsOf(after?.spec)];
  const unique = [...new Map(all.map((field) => [field.join('.'), field])).values()];
  return unique.filter((field) => !isDeepStrictEqual(fieldIn(before?.spec, field), fieldIn(after?.spec, field)));
}

function fieldIn(spec: object | undefined, [, ...path]: Field): unknown {
  return path.reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>> | undefined)?.[key], spec);
}

/**
 * The new policy with the old value of one field. The result is undefined if the policy has a rollout, or if the policy
 * is not valid with the old value.
 */
function withUndone({ old, new: now }: Change, field: Field): ResolvedPolicy | undefined {
  const [[before, ...otherOld], [after, ...otherNew]] = [old, now];
  if (!before || !after || otherOld.length + otherNew.length > 0) return undefined;
  const value = fieldIn(before.spec, field);
  const [, key, rule] = field;
  const undone =
    rule === undefined
      ? withValue(after.spec, key, value)
      : { ...after.spec, overrides: withValue(after.spec.overrides, rule, value) };
  const { name, uid, standard } = after;
  const resolution = resolvePolicy({ metadata: { name, uid }, spec: undone }, standard.server, standard.serverDefaults);
  return 'policy' in resolution ? resolution.policy : undefined;
}

/** A copy of the object in which one field has another value. If the value is undefined, the object lacks the field. */
function withValue<Fields extends object>(object: Fields | undefined, key: string, value: unknown): Fields {
  const { [key]: _, ...others } = { ...object } as Record<string, unknown>;
  return { ...others, ...(value !== undefined && { [key]: value }) } as Fields;
}
