/** The laws of a rollout (docs/decisions/0051). The exploration checks the laws for each action of a history. */
import { matches } from '../../../operator/policy/selector.ts';
import type { RolloutProgress } from '../../../operator/promotion/progress.ts';
import { isEnforced, isOn, labelsOf, type Space, START, selectorOf, type World } from './world.ts';

export interface Acted {
  readonly before: World;
  readonly after: World;
  /**
   * The progress that the status shows before the step. `progress` is set only for steps of the operator.
   */
  readonly progress?: RolloutProgress;
  readonly byOperator: boolean;
}

type Law = (acted: Acted) => string | undefined;

/**
 * Whether the operator will remove a pending label, because no guard was in force when the label was set. Another law
 * checks, at the end of each history, that the operator has removed the label.
 */
function isBeingUndone({ memory, kept, frozen }: World, name: string): boolean {
  const state = memory ?? kept;
  const isTrusted = state?.inForce !== undefined;
  return !isTrusted || state?.namespaces.get(name)?.state === 'Enforced' || frozen.includes(name);
}

const noneBecomesPending: Law = ({ before, after, byOperator }) => {
  const { remembered, stated, text, spaces } = after;
  if (!isOn(stated) || !text) return undefined;
  for (const [name, space] of Object.entries(spaces)) {
    const { uid } = space;
    if (!remembered.enforced.includes(uid) || remembered.byHand.includes(uid)) continue;
    if (!matches(selectorOf(text), labelsOf(space)) || isEnforced(text, name, space)) continue;
    const was = before.spaces[name];
    // In two cases, a namespace may become pending again. In the first case, the namespace left the selector and came
    // back. In the second case, the operator is removing the label of the namespace.
    if (!was || !before.text || isBeingUndone(after, name)) continue;
    if (byOperator || isEnforced(before.text, name, was)) return `${name} becomes pending again`;
  }
  return undefined;
};

const operatorLabelsNothingEnforced: Law = ({ before, after, byOperator }) => {
  if (!byOperator) return undefined;
  for (const [name, { uid, label }] of Object.entries(after.spaces)) {
    const { enforced, byHand } = after.remembered;
    const isNew = label === 'pending' && before.spaces[name]?.label !== 'pending';
    const entry = after.memory?.namespaces.get(name);
    if (isNew && enforced.includes(uid) && !byHand.includes(uid) && !entry)
      return `${name} is labelled without a reason`;
  }
  const fresh = [...(after.memory?.namespaces ?? [])].find(([name, { uid, state }]) => {
    const { enforced, byHand } = before.remembered;
    const isPending = state === 'Pending' && !before.memory?.namespaces.has(name) && !before.kept?.namespaces.has(name);
    return isPending && enforced.includes(uid) && !byHand.includes(uid);
  });
  return fresh && `${fresh[0]} is pending in the state again`;
};

/** Whether the operator has already decided to enforce the policy in the namespace. Only a write is still missing. */
function isDecided({ memory, kept }: World, name: string): boolean {
  const state = memory ?? kept;
  const entry = state?.namespaces.get(name);
  return entry ? entry.state === 'Enforced' : state?.begun === true;
}

const pauseBinds: Law = ({ before, after, byOperator }) => {
  if (!byOperator || !after.stated.paused || !after.stated.rollsOut) return undefined;
  const { enforced, byHand, moved } = before.remembered;
  for (const [name, space] of Object.entries(after.spaces)) {
    const was = before.spaces[name];
    // In a namespace that is created later than the policy, the policy is enforced from the first pod on.
    if (!was || space.created > START || [...enforced, ...byHand, ...moved].includes(space.uid)) continue;
    if (!matches(selectorOf(after.stated), labelsOf(space)) || isDecided(before, name)) continue;
    if (isDecided(after, name)) return `${name} is decided in a pause`;
    if (isEnforced(after.text, name, space) && !isEnforced(before.text, name, was))
      return `${name} is enforced in a pause`;
  }
  return undefined;
};

const nobodyEntersAsPending: Law = ({ before, after, byOperator }) => {
  const { text } = after;
  if (byOperator || !text) return undefined;
  const isSelected = (space: Space | undefined) => space && matches(selectorOf(text), labelsOf(space));
  const entered = Object.entries(after.spaces).find(
    ([name, space]) => isSelected(space) && !isSelected(before.spaces[name]) && !isEnforced(text, name, space),
  );
  return entered && `${entered[0]} comes as pending`;
};

const statusIsTrue: Law = ({ before, progress }) => {
  for (const [name, { state }] of progress?.namespaces ?? []) {
    const space = before.spaces[name];
    if (state === 'Enforced' && space && !isEnforced(before.text, name, space)) return `${name} is shown as enforced`;
  }
  return undefined;
};

export const LAWS: Readonly<Record<string, Law>> = {
  'no namespace becomes pending again': noneBecomesPending,
  'nobody brings a namespace in as pending': nobodyEntersAsPending,
  'the operator makes no enforced namespace pending': operatorLabelsNothingEnforced,
  'paused binds every promotion': pauseBinds,
  'the status says what is': statusIsTrue,
};
