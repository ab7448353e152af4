/**
 * Random sets of overlapping policies. Some of the policies have a rollout. A set has namespaces that are already
 * enforced, and pending namespaces.
 */
import fc, { type Arbitrary } from 'fast-check';
import type { CapabilityPolicySpec, LabelSelector } from '../../../operator/api/capability-policy.ts';
import { rolloutLabel, type Stage } from '../../../operator/policy/parts.ts';
import { UNIVERSE } from '../../support/random-selectors.ts';
import { confined, confinedSelector, type PolicySet, randomSet } from '../sets/arbitrary.ts';

export interface RollingSet extends PolicySet {
  /** The stage of the rollout of each policy with `rollout`, by the policy's name. */
  readonly stages: ReadonlyMap<string, Stage>;
}

/** The namespaces of a set. Some of the namespaces have equal labels, apart from the labels of rollouts. */
const NAMESPACES = ['a', 'b', 'c', 'd', 'e'];

const ROLLOUT: Arbitrary<NonNullable<CapabilityPolicySpec['rollout']>> = fc.record(
  {
    meanwhile: fc.constantFrom('Warn' as const, 'Audit' as const),
    soak: fc.constantFrom('0s', '1h30m'),
    paused: fc.boolean(),
  },
  { requiredKeys: [] },
);

/**
 * The rollout label of a namespace. If a namespace has no rollout label, the policy is enforced in the namespace,
 * either from the beginning or since the promotion. The value `enforced` means that a person promoted the namespace.
 */
const LABEL = fc.constantFrom('pending', 'pending', 'pending', undefined, undefined, 'enforced');

/** @param set a text that is part of all names */
export function rollingSet(set: string): Arbitrary<RollingSet> {
  return randomSet(set).chain((made) => {
    const names = made.policies.map(({ name }) => name);
    const rolledOut = fc.subarray(names, { minLength: 1 });
    return fc
      .record({
        rollouts: rolledOut.chain((some) => fc.record(Object.fromEntries(some.map((name) => [name, ROLLOUT])))),
        stages: fc.record(Object.fromEntries(names.map((name) => [name, stage(set)]))),
        namespaces: namespaces(set, names),
      })
      .map(({ rollouts, stages, namespaces: all }) => ({
        ...made,
        policies: made.policies.map(({ name, spec }) => {
          const rollout = rollouts[name];
          return { name, spec: rollout ? { ...spec, mode: 'Enforce' as const, rollout } : spec };
        }),
        namespaces: all,
        stages: new Map(Object.keys(rollouts).map((name) => [name, stages[name] as Stage])),
      }));
  });
}

/**
 * The progress of a rollout. In one of the possible values, somebody has edited the selector, and the newly selected
 * namespaces have no label yet.
 */
function stage(set: string): Arbitrary<Stage> {
  const edited = confinedSelector(set).map((selector: LabelSelector): Stage => ({ begun: true, selector }));
  return fc.oneof(
    { weight: 5, arbitrary: fc.constant<Stage>({ begun: true }) },
    { weight: 2, arbitrary: edited },
    { weight: 1, arbitrary: fc.constant<Stage>({ begun: false }) },
  );
}

/**
 * The namespaces of a set with random labels. Some of the labels are for policies without a rollout. A label for a
 * policy without a rollout has no meaning.
 */
function namespaces(set: string, policies: readonly string[]): Arbitrary<PolicySet['namespaces']> {
  const own = fc.array(fc.constantFrom(...UNIVERSE), { minLength: 2, maxLength: 2 });
  const ofRollouts = fc.array(fc.tuple(...policies.map(() => LABEL)), {
    minLength: NAMESPACES.length,
    maxLength: NAMESPACES.length,
  });
  return fc.tuple(own, ofRollouts).map(([universe, all]) =>
    all.map((values, i) => {
      const rollouts = policies.flatMap((policy, j) => (values[j] ? [[rolloutLabel(policy), values[j]] as const] : []));
      const labels = { ...universe[i % universe.length], ...Object.fromEntries(rollouts), ...confined(set) };
      return { name: `${set}-${NAMESPACES[i]}`, labels };
    }),
  );
}
