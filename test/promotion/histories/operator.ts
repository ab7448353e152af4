/**
 * The operator's actions in a history. The actions run the production functions. Each write of a controller is one
 * action.
 */
import type { LabelSelector } from '../../../operator/api/capability-policy.ts';
import { policyOfLabel } from '../../../operator/policy/parts.ts';
import { isSameSelector } from '../../../operator/policy/selector.ts';
import { firstState } from '../../../operator/promotion/first-state.ts';
import type { StepInput, StepResult } from '../../../operator/promotion/input.ts';
import { progressOf, type RolloutProgress } from '../../../operator/promotion/progress.ts';
import { Rollouts } from '../../../operator/promotion/rollouts.ts';
import { leftOutByName, type RolloutState, resting } from '../../../operator/promotion/state.ts';
import { step } from '../../../operator/promotion/step.ts';
import { isOn, LABEL, labelsOf, POLICY, selectorOf, specOf, TEAM, type Text, type World } from './world.ts';

/**
 * The functions that an exploration runs. The functions are either the operator's own functions, or variants with a
 * defect.
 */
export interface Implementation {
  first(world: World): RolloutState;
  step(input: StepInput): StepResult;
  progress(input: StepInput, result: StepResult): RolloutProgress;
  /**
   * The operator keeps this state while the rollout of a policy rests. If the operator keeps no state, the function
   * returns undefined.
   */
  rest(kept: RolloutState, existingSelector: LabelSelector | undefined): RolloutState | undefined;
  /** Whether the operator writes the first state of a rollout even if nothing has changed. */
  readonly writesFirst: boolean;
  /** Whether the operator writes the state of a rollout before the admission policies and the labels. */
  readonly waitsForState: boolean;
}

export const OPERATOR: Implementation = {
  first: (world) =>
    firstState({
      policy: POLICY,
      uid: 'p',
      kept: world.kept,
      enforced: existingSpec(world),
      excluded: [],
      namespaces: namespacesOf(world),
      now: world.now,
    }),
  step,
  progress: progressOf,
  rest: resting,
  writesFirst: true,
  waitsForState: true,
};

/** The spec of the enforced part in the existing admission policy. */
export function existingSpec({ text, stated }: World) {
  if (!text) return undefined;
  return { ...specOf({ ...stated, mode: 'Enforce', rollsOut: text.divided }), namespaceSelector: selectorOf(text) };
}

export function namespacesOf({ spaces }: World) {
  return Object.entries(spaces).map(([name, space]) => {
    return { name, uid: space.uid, labels: labelsOf(space), created: space.created };
  });
}

/** Reconciles the policy in the same way as the controller of promotions. */
export function promote(
  world: World,
  of: Implementation,
): { readonly after: World; readonly progress?: RolloutProgress } {
  const { stated, kept } = world;
  const spec = specOf(stated);
  if (!isOn(stated) || !spec.rollout) {
    const { memory, kept: _, ...rest } = world;
    const known = memory ?? kept;
    // If a policy already rests, the state of the policy does not change.
    const isResting = known && !known.begun && !known.inForce && !known.labelling;
    const rested = isResting || !known ? known : of.rest(known, existingSpec(world)?.namespaceSelector);
    return { after: { ...rest, ...(rested && !isOn(stated) && { kept: rested }) } };
  }
  const before = world.memory ?? of.first(world);
  const input = inputOf(world, before, spec.rollout);
  const result = of.step(input);
  const writes = result.state !== before || (of.writesFirst && !world.memory);
  const after = { ...world, memory: result.state, ...(writes && { kept: result.state }) };
  return { after, progress: of.progress(input, result) };
}

function inputOf(world: World, state: RolloutState, rollout: StepInput['rollout']): StepInput {
  const { spaces, refused, now } = world;
  const verdict = (name: string) => ({ violating: spaces[name]?.violates ? 1 : 0 });
  const enforced = existingSpec(world);
  return {
    policy: POLICY,
    rollout,
    selector: selectorOf(world.stated),
    state,
    ...(enforced && { existingSelector: enforced.namespaceSelector }),
    namespaces: namespacesOf(world),
    excluded: [],
    verdict,
    currentVerdict: verdict,
    isRefused: (name) => refused.includes(name),
    settled: isSettled({ ...world, memory: state }),
    now,
  };
}

function isSettled(world: World): boolean {
  return JSON.stringify(world.text) === JSON.stringify(wantedText(world));
}

/**
 * The admission policy that the operator wants to write. If the policy enforces nothing, the function returns
 * undefined.
 */
export function wantedText({ stated, memory, ...world }: World): Text | undefined {
  if (!isOn(stated)) return undefined;
  if (!stated.rollsOut) return { onlyTeam: stated.onlyTeam, divided: false, leftOut: [] };
  const enforced = existingSpec({ stated, ...world });
  const begun = memory ? memory.begun : enforced !== undefined;
  if (!begun) return undefined;
  const selector = memory ? memory.selector : enforced?.namespaceSelector;
  const onlyTeam = selector !== undefined && isSameSelector(selector, TEAM);
  return { onlyTeam, divided: true, leftOut: memory ? leftOutByName(memory) : [] };
}

function isWaiting({ stated, memory }: World, { waitsForState }: Implementation): boolean {
  return waitsForState && (memory !== undefined) !== (isOn(stated) && stated.rollsOut);
}

/** Performs a pass of the controller of programs. */
export function writeText(world: World, of: Implementation): World {
  if (isWaiting(world, of)) return world;
  const { text: _, ...rest } = world;
  const text = wantedText(world);
  return { ...rest, ...(text && { text }) };
}

/** Reconciles the labels of a namespace, as the operator's controllers do. */
export function writeLabels(world: World, name: string, of: Implementation): World {
  const { stated, memory, text, spaces, frozen, refused } = world;
  const space = spaces[name];
  if (!space) return world;
  if (isWaiting(world, of)) return world;
  const rollouts = new Rollouts();
  if (memory) rollouts.set(policyOfLabel(LABEL), memory);
  // The label is unused if no admission policy names the label and no policy has a rollout.
  if (!stated.rollsOut || stated.expired) rollouts.unused = new Set(text?.divided ? [] : [LABEL]);
  const { set, remove } = rollouts.labelsOf({ name, uid: space.uid, labels: labelsOf(space) });
  const changes = (LABEL in set && space.label !== set[LABEL]) || remove.includes(LABEL);
  const without = refused.filter((one) => one !== name);
  if (!changes) return without.length < refused.length ? { ...world, refused: without } : world;
  if (frozen.includes(name)) return refused.includes(name) ? world : { ...world, refused: [...refused, name].sort() };
  const { label: _, ...rest } = space;
  const written = LABEL in set ? { ...rest, label: set[LABEL] as string } : rest;
  return { ...world, refused: without, spaces: { ...spaces, [name]: written } };
}
