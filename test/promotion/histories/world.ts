/**
 * A model of a small cluster with one policy, for the exploration of short histories. The world has the objects of the
 * API server, the memory of a leader, and the facts that laws must remember. All values are plain data. Two equal
 * worlds therefore have the same JSON.
 */
import type { CompleteSpec } from '../../../operator/api/capability-policy.ts';
import { completeSpec } from '../../../operator/api/defaults.ts';
import { matches } from '../../../operator/policy/selector.ts';
import type { RolloutState } from '../../../operator/promotion/state.ts';

export const POLICY = 'it';
export const LABEL = `rollout.capabilitypolicy.dev/${POLICY}`;
export const SOAK_S = 10;
export const START = 1_800_000_000_000;

export interface Space {
  readonly uid: string;
  readonly label?: string;
  readonly team: boolean;
  readonly violates: boolean;
  readonly created: number;
}

/** The fields of the policy that an administrator writes. */
export interface Stated {
  readonly mode: 'Enforce' | 'Audit';
  readonly rollsOut: boolean;
  readonly atOnce: boolean;
  readonly paused: boolean;
  readonly expired: boolean;
  readonly onlyTeam: boolean;
}

/**
 * The admission policy that refuses pods. If this selector names the rollout's label, a second admission policy guards
 * the label.
 */
export interface Text {
  readonly onlyTeam: boolean;
  /** Whether the admission policy excludes pending namespaces. */
  readonly divided: boolean;
  readonly leftOut: readonly string[];
}

export interface World {
  readonly now: number;
  readonly stated: Stated;
  readonly spaces: Readonly<Record<string, Space>>;
  readonly text?: Text;
  /** The state of the rollout in the ConfigMaps. */
  readonly kept?: RolloutState;
  /** The leader's memory of the rollout. The memory is undefined after the leader has crashed. */
  readonly memory?: RolloutState;
  /** Whether a policy of a higher priority decides everywhere. */
  readonly overridden: boolean;
  /** Namespaces whose labels only people can change. Another tool refuses the operator's changes of these labels. */
  readonly frozen: readonly string[];
  /** The namespaces whose writes were refused, according to the leader's memory. */
  readonly refused: readonly string[];
  readonly remembered: Remembered;
}

/** The facts of a history that the laws need for their comparisons. */
export interface Remembered {
  /** The uids of namespaces where the policy has been enforced. */
  readonly enforced: readonly string[];
  /** Namespaces that a person promoted. */
  readonly byHand: readonly string[];
  /** Namespaces that a person moved into the selector or out of the selector. */
  readonly moved: readonly string[];
  /** Whether the policy had a rollout when the operator last saw the policy in mode Enforce. */
  readonly rolledOut: boolean;
}

export const TEAM = { matchLabels: { team: 'a' } };
export const ALL = {};

export function selectorOf({ onlyTeam }: Pick<Stated, 'onlyTeam'>) {
  return onlyTeam ? TEAM : ALL;
}

export function specOf(stated: Stated): CompleteSpec {
  const { mode, rollsOut, atOnce, paused } = stated;
  const soak = atOnce ? '0s' : `${SOAK_S}s`;
  const rollout = { soak, paused };
  return completeSpec({
    namespaceSelector: selectorOf(stated),
    level: 'restricted',
    mode,
    ...(rollsOut && { rollout }),
  });
}

/** Whether the operator must now enforce the policy in some namespaces. */
export function isOn({ mode, expired }: Stated): boolean {
  return mode === 'Enforce' && !expired;
}

export function labelsOf({ label, team }: Pick<Space, 'label' | 'team'>): Record<string, string> {
  return { ...(team && { team: 'a' }), ...(label !== undefined && { [LABEL]: label }) };
}

/** Whether the API server refuses a violating pod in a namespace. */
export function isEnforced(text: Text | undefined, name: string, space: Pick<Space, 'label' | 'team'>): boolean {
  if (!text || !matches(selectorOf(text), labelsOf(space))) return false;
  return !text.divided || (space.label !== 'pending' && !text.leftOut.includes(name));
}

/**
 * Adds to the world the facts that the laws must remember. The facts are about the newest admission policy and labels.
 */
export function remembering(world: World): World {
  const { text, spaces, remembered } = world;
  const enforced = Object.entries(spaces).flatMap(([name, space]) =>
    isEnforced(text, name, space) ? [space.uid] : [],
  );
  const all = [...new Set([...remembered.enforced.filter((uid) => !isOutside(world, uid)), ...enforced])].sort();
  return { ...world, remembered: { ...remembered, enforced: all } };
}

/**
 * Whether the namespace is outside the selector of the admission policy in force. After an edit, the policy's new
 * selector may already select the namespace.
 */
function isOutside({ text, spaces }: World, uid: string): boolean {
  const space = Object.values(spaces).find((one) => one.uid === uid);
  return text !== undefined && space !== undefined && !matches(selectorOf(text), labelsOf(space));
}
