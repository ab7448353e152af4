/** Makes a sentence that says whether and why a policy decides in a namespace. */
import type { Other, SelectedNamespace } from '../../analysis/policies/selected-namespaces.ts';
import type { Mode } from '../../operator/api/capability-policy.ts';
import { firstOf } from '../../operator/text/wording.ts';

/**
 * The order of the list. Namespaces where the policy decides come first, and namespaces that no policy reaches come
 * last.
 */
export const SELECTION_STATES = ['decides', 'shares', 'pending', 'overridden', 'terminating', 'excluded'] as const;
export type SelectionState = (typeof SELECTION_STATES)[number];

export const STATE_WORDS: Readonly<Record<SelectionState, string>> = {
  decides: 'Decides',
  shares: 'Shares the decision',
  pending: 'Pending',
  overridden: 'Another one decides',
  terminating: 'Being deleted',
  excluded: 'Excluded',
};

const NAMED = 3;
const ACTIONS: Readonly<Record<Mode, string>> = {
  Enforce: 'refuses pods',
  Warn: 'warns about pods',
  Audit: 'audits pods',
};

export function selectionState({ pending, role }: SelectedNamespace): SelectionState {
  switch (role.name) {
    case 'Decides':
      return pending ? 'pending' : 'decides';
    case 'Shares':
      return pending ? 'pending' : 'shares';
    case 'Overridden':
      return 'overridden';
    case 'Terminating':
      return 'terminating';
    case 'Excluded':
      return 'excluded';
  }
}

/** @param priority the priority of the policy */
export function whyText({ mode, pending, role }: SelectedNamespace, priority: number): string {
  const meanwhile = pending
    ? `The rollout does not enforce the policy here yet: until then, the policy only ${ACTIONS[mode]}. `
    : '';
  switch (role.name) {
    case 'Decides':
      return role.over.length > 0
        ? `${meanwhile}Its priority ${priority} is higher than that of ${named(role.over)}.`
        : meanwhile.trim() || `No other policy of mode ${mode} selects it.`;
    case 'Shares':
      return `${meanwhile}${named(role.with)} ${role.with.length > 1 ? 'have' : 'has'} the same priority: a pod must satisfy only one of these policies.`;
    case 'Overridden':
      return `${meanwhile}${named(role.by)} ${role.by.length > 1 ? 'have' : 'has'} a higher priority than ${priority}.`;
    case 'Terminating':
      return 'It is being deleted: nothing can be created in it.';
    case 'Excluded':
      return 'The operator excludes it: no policy reaches it.';
  }
}

/**
 * A text with the names and the priorities of policies. If all priorities are equal, the text states the priority once.
 */
function named(others: readonly Other[]): string {
  const priorities = new Set(others.map(({ priority }) => priority));
  const [only] = priorities;
  const names = others.map(({ policy, priority }) => (priorities.size === 1 ? policy : `${policy} (${priority})`));
  return `${firstOf(names, NAMED)}${priorities.size === 1 ? ` (priority ${only})` : ''}`;
}
