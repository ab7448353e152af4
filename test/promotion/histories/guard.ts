/** Computes whether the API server admits the change or the creation of a namespace by a user without `exempt`. */
import { isEnforced, type Space, type Text } from './world.ts';

/** A request of a user without `exempt`. */
export interface Change {
  readonly name: string;
  /** The namespace before the change. If the change creates the namespace, `before` is undefined. */
  readonly before: Space | undefined;
  readonly after: Space;
}

/**
 * Whether the guard admits a change of a namespace under the admission policies in force.
 *
 * @param text the admission policy in force, or undefined if no admission policy is in force
 * @param overridden whether a policy of a higher priority decides in the namespace
 */
export type Guard = (text: Text | undefined, change: Change, overridden: boolean) => boolean;

/**
 * The guard's rules in docs/security-model.md. No user without `exempt` may take a namespace out of the policy, or
 * bring a pending namespace into the policy. In two cases, the guard ignores the old value of the rollout's label. In
 * the first case, the change removes the label. In the second case, the policy did not select the namespace before the
 * change. The guard also protects the policy while an overriding policy decides, because the overriding policy may be
 * deleted later.
 */
export const STATED_GUARD: Guard = (text, { name, before, after }) => {
  const bare = before ?? after;
  const stays = before?.label === 'pending' && after.label === 'pending' && isSelected(text, before);
  const earlier = { team: bare.team, ...(stays && { label: 'pending' }) };
  if (isEnforced(text, name, earlier)) return isEnforced(text, name, after);
  const entersAsPending = !stays && after.label === 'pending' && isEnforced(text, name, { team: after.team });
  return !entersAsPending;
};

function isSelected(text: Text | undefined, { team }: Space): boolean {
  return isEnforced(text && { ...text, divided: false }, '', { team });
}
