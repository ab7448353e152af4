/**
 * Random topologies. A topology has namespaces and policies. Each policy has a selector, a priority, a mode, an expiry,
 * users and a rollout.
 */
import fc, { type Arbitrary } from 'fast-check';
import { type CapabilityPolicySpec, type LabelSelector, NAME_LABEL } from '../../../operator/api/capability-policy.ts';
import { SELECTOR, UNIVERSE } from '../../support/random-selectors.ts';
import { type PolicySet, randomSpec, subject } from '../sets/arbitrary.ts';
import type { Grant } from '../sets/reference-model.ts';

export interface TopologySize {
  /**
   * The maximum number of policies. The number of policies is usually lower, because the API server refuses some random
   * policies.
   */
  readonly policies: number;
  readonly namespaces: number;
  /** The maximum number of policies with one mode and priority that may select the same namespace. */
  readonly meeting: number;
}

/** The value `soon` means that the policy expires while the pods are evaluated. */
export type End = 'none' | 'past' | 'soon' | 'far';

export interface Topology extends PolicySet {
  /** The expiry of each policy, by the policy's name. */
  readonly ends: ReadonlyMap<string, End>;
  /** The namespaces that the test promotes by hand. The key is the name of the policy with `rollout`. */
  readonly promoted: ReadonlyMap<string, readonly string[]>;
}

/** The label of namespaces. The policies of a confined topology select only namespaces with the label ZONE. */
export const ZONE = 'example.com/zone';
const ENVIRONMENT = 'environment';
/** If this number is N, one of every N namespaces lacks the label ZONE. */
const WITHOUT_ZONE = 8;
/** The maximum number of policies with restricted use that can decide in one namespace. */
const MOST_RESTRICTED = 10;

/** @param name the prefix of the names of all namespaces and policies */
export function randomTopology(name: string, size: TopologySize): Arbitrary<Topology> {
  const namespaces = Array.from({ length: size.namespaces }, (_, i) => `${name}-${String(i).padStart(2, '0')}`);
  const policies = Array.from({ length: size.policies }, (_, i) => `${name}-p${String(i).padStart(2, '0')}`);
  const [first = '', second = ''] = namespaces;
  const subjects = subject(first, second);
  return fc.boolean().chain((confined) => {
    const spec = randomSpec(selectors(namespaces, confined), subjects);
    return fc
      .record({
        specs: fc.tuple(...policies.map(() => fc.tuple(spec, END, ROLLOUT, fc.boolean()))),
        labels: fc.tuple(...namespaces.map((_, i) => labels(i))),
        promoted: fc.tuple(...policies.map(() => fc.subarray(namespaces))),
        grants: fc.array(grant(namespaces, policies, subjects), { minLength: 4, maxLength: 20 }),
      })
      .map(({ specs, labels: all, promoted, grants }): Topology => {
        const rolledOut = (i: number) => specs[i]?.[2] !== undefined && specs[i]?.[0].mode === 'Enforce';
        return {
          namespaces: namespaces.map((one, i) => ({ name: one, labels: all[i] ?? {} })),
          policies: policies.map((one, i) => ({ name: one, spec: specOf(specs[i], rolledOut(i)) })),
          ends: new Map(policies.map((one, i) => [one, specs[i]?.[1] ?? 'none'])),
          promoted: new Map(policies.flatMap((one, i) => (rolledOut(i) ? [[one, promoted[i] ?? []]] : []))),
          grants,
        };
      });
  });
}

const END = fc.constantFrom<End>('none', 'none', 'none', 'none', 'none', 'none', 'past', 'soon', 'soon', 'far');

/**
 * A random rollout. The rollout is paused. Only people promote namespaces, so the labels do not change automatically.
 */
const ROLLOUT = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({ meanwhile: fc.constantFrom('Warn' as const, 'Audit' as const), paused: fc.constant(true) }),
  },
);

type Drawn = [CapabilityPolicySpec, End, CapabilityPolicySpec['rollout'], tight: boolean];

/**
 * The spec of a policy. A pod needs to satisfy only one of several policies. Half of the policies therefore have level
 * restricted, so that some pods are still refused. Policies that expire soon have no label and no defaulting. The
 * operator would remove the label and the defaulting only a moment after the expiry.
 */
function specOf(drawn: Drawn | undefined, rolledOut: boolean): CapabilityPolicySpec {
  if (!drawn) throw new Error('a policy without a spec');
  const [spec, end, rollout, tight] = drawn;
  return {
    ...spec,
    ...(tight && { level: 'restricted' as const }),
    // A policy for many namespaces gets no high priority. With a high priority, such a policy would keep the other
    // policies from deciding in its namespaces.
    ...(!isNarrow(spec.namespaceSelector) && spec.priority === 7 && !tight && { priority: 0 }),
    ...(rolledOut && { rollout }),
    ...(end === 'soon' && { podSecurityLabels: 'Off' as const, defaulting: 'Disabled' as const }),
  };
}

function isNarrow({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return NAME_LABEL in matchLabels || matchExpressions.some((one) => one.key === NAME_LABEL && one.operator === 'In');
}

function labels(index: number): Arbitrary<Readonly<Record<string, string>>> {
  const environment = fc.constantFrom('production', 'test', undefined);
  return fc.tuple(fc.constantFrom(...UNIVERSE), environment).map(([own, named]) => ({
    ...own,
    ...(named && { [ENVIRONMENT]: named }),
    ...(index % WITHOUT_ZONE !== WITHOUT_ZONE - 1 && { [ZONE]: 'in' }),
  }));
}

function selectors(namespaces: readonly string[], confined: boolean): Arbitrary<LabelSelector> {
  const names = fc.uniqueArray(fc.constantFrom(...namespaces), { minLength: 1, maxLength: 4 });
  const byName = (operator: 'In' | 'NotIn') =>
    names.map((values): LabelSelector => ({ matchExpressions: [{ key: NAME_LABEL, operator, values }] }));
  const any = fc.oneof(
    { weight: 2, arbitrary: fc.constant<LabelSelector>({}) },
    { weight: 3, arbitrary: names.map(([one = '']): LabelSelector => ({ matchLabels: { [NAME_LABEL]: one } })) },
    { weight: 2, arbitrary: byName('In') },
    { weight: 1, arbitrary: byName('NotIn') },
    { weight: 5, arbitrary: REQUIREMENT },
    { weight: 3, arbitrary: fc.tuple(REQUIREMENT, REQUIREMENT).map(([one, other]) => both(one, other)) },
    { weight: 1, arbitrary: SELECTOR },
    { weight: 1, arbitrary: fc.tuple(byName('In'), REQUIREMENT).map(([one, other]) => both(one, other)) },
  );
  if (!confined) return any;
  return any.map((one) => both(one, { matchExpressions: [{ key: ZONE, operator: 'Exists' }] }));
}

/** A selector with a requirement on one key. The requirement has any operator. */
const REQUIREMENT: Arbitrary<LabelSelector> = fc
  .constantFrom<{ readonly key: string; readonly all: string[] }>(
    { key: 'team', all: ['net', 'db', ''] },
    { key: 'example.com/tier', all: ['net', 'db'] },
    { key: ENVIRONMENT, all: ['production', 'test'] },
  )
  .chain(({ key, all }) => {
    const values = fc.subarray(all, { minLength: 1 });
    const listed = (operator: 'In' | 'NotIn') =>
      values.map((some): LabelSelector => ({ matchExpressions: [{ key, operator, values: some }] }));
    return fc.oneof(
      fc.constantFrom(...all).map((value): LabelSelector => ({ matchLabels: { [key]: value } })),
      listed('In'),
      listed('NotIn'),
      fc
        .constantFrom('Exists' as const, 'DoesNotExist')
        .map((operator): LabelSelector => ({ matchExpressions: [{ key, operator }] })),
    );
  });

function both(one: LabelSelector, other: LabelSelector): LabelSelector {
  return {
    matchLabels: { ...one.matchLabels, ...other.matchLabels },
    matchExpressions: [...(one.matchExpressions ?? []), ...(other.matchExpressions ?? [])],
  };
}

/**
 * A random grant. A right to all policies is granted in only one namespace. Users therefore still need a right in the
 * other namespaces.
 */
function grant(
  namespaces: readonly string[],
  policies: readonly string[],
  subjects: Arbitrary<Grant['subject']>,
): Arbitrary<Grant> {
  const namespace = fc.constantFrom(...namespaces);
  const policy = fc.constantFrom(...policies);
  return fc.oneof(
    { weight: 2, arbitrary: fc.record({ policy, subject: subjects }) },
    { weight: 3, arbitrary: fc.record({ policy, subject: subjects, namespace }) },
    { weight: 1, arbitrary: fc.record({ policy: fc.constant('*'), subject: subjects, namespace }) },
  );
}

/**
 * Leaves out policies if too many policies could decide in some namespace. The function considers all stages of
 * rollouts, and the times before and after each expiry.
 *
 * @param selects whether a policy selects a namespace
 */
export function withoutCrowds<Policy extends { readonly spec: CapabilityPolicySpec }>(
  policies: readonly Policy[],
  { namespaces, meeting }: Pick<Topology, 'namespaces'> & Pick<TopologySize, 'meeting'>,
  selects: (policy: Policy, labels: Readonly<Record<string, string>>) => boolean,
): Policy[] {
  const counts = new Map<string, { all: number; restricted: number }>();
  return policies.filter((policy) => {
    const { mode = 'Audit', priority = 0, usableBy, rollout } = policy.spec;
    const modes = rollout ? [mode, rollout.meanwhile ?? 'Warn'] : [mode];
    const selected = namespaces.filter(({ name, labels: own }) => selects(policy, { ...own, [NAME_LABEL]: name }));
    const places = selected.flatMap(({ name }) => modes.map((one) => `${name} ${one} ${priority}`));
    const countOf = (place: string) => counts.get(place) ?? { all: 0, restricted: 0 };
    const restricted = usableBy === 'Subjects' || usableBy === 'Bindings' ? 1 : 0;
    const full = (place: string) =>
      countOf(place).all >= meeting || countOf(place).restricted + restricted > MOST_RESTRICTED;
    if (places.some(full)) return false;
    for (const place of places) {
      const count = countOf(place);
      counts.set(place, { all: count.all + 1, restricted: count.restricted + restricted });
    }
    return true;
  });
}
