/** Whether the API server lets somebody without `exempt` change or create a namespace. */
import { isEnforced, type Space, type Text } from './world.ts';

/** A request of somebody without `exempt`. */
export interface Change {
  readonly name: string;
  /** Undefined for a new namespace. */
  readonly before: Space | undefined;
  readonly after: Space;
}

/**
 * Decides as the texts in force do.
 *
 * @param text of the policy; undefined without one @param overridden whether a policy of a higher priority decides there
 */
export type Guard = (text: Text | undefined, change: Change, overridden: boolean) => boolean;

/**
 * The guard as docs/security-model.md states it: nobody takes a namespace out of the policy, or brings one in as pending. A
 * label that a change removes counts as removed before it; so does that of a namespace which the policy did not select. Another
 * policy that overrides it may be deleted later.
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
