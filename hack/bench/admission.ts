/**
 * Part (e) of the bench measures the time to create a pod in four cases. The cases are a namespace without policies,
 * Pod Security Admission, our policies, and an admission policy that checks nothing. The last case shows the lowest
 * time that an admission policy can reach.
 */
import type { CapabilityPolicySpec, LabelSelector } from '../../operator/api/capability-policy.ts';
import type { ApiClient } from '../../operator/cluster/client.ts';
import { createNamespace, startBenchCluster } from './bench-cluster.ts';
import { bindByHand, writeByHand } from './by-hand.ts';
import { growth, ratio, type Spread, shown, spreadOf } from './numbers.ts';
import { startOperator } from './operator-under-test.ts';
import { createPod, USER } from './pods.ts';
import { allProgrammed, applyPolicy } from './policies.ts';
import type { Table } from './table.ts';

interface Setting {
  readonly title: string;
  /**
   * The name of the series to which the case belongs. The cases of a series differ in the number of policies that
   * select the namespace.
   */
  readonly series?: string;
  readonly policies: readonly CapabilityPolicySpec[];
}

type Measured = Setting & Readonly<Record<keyof typeof NAMESPACES, Spread>>;

const WARM_UP = 30;
const PODS = 200;
const LABEL = 'bench';
/**
 * The labels of each namespace. Each key of the object is the name of a namespace. The measured namespace is `ours`. No
 * policy selects the namespace `none`. Pod Security Admission checks `podSecurity`. In the namespace `nothing`, the
 * deciding admission policy checks nothing.
 */
const NAMESPACES = {
  none: {},
  podSecurity: { 'pod-security.kubernetes.io/enforce': 'restricted' },
  nothing: { [`${LABEL}-nothing`]: '' },
  ours: { [LABEL]: '0' },
};

/** Each function says whether the policy with the given index admits the pod. */
const ADMITTING = {
  'the first': (index: number) => index === 0,
  'the last': (index: number, count: number) => index === count - 1,
  'every one': () => true,
};
type Admitting = keyof typeof ADMITTING;

const SETTINGS: readonly Setting[] = [
  { title: '1 policy', policies: meeting(1, 'the first', ofOneSelector) },
  ...series('of one selector', 'the first', ofOneSelector),
  ...series('of one selector', 'the last', ofOneSelector),
  ...series('of own selectors', 'every one', ofOwnSelectors),
  ...series('of own selectors', 'the last', ofOwnSelectors),
  { title: '100 disjoint', policies: disjoint(100) },
];

export async function admission(): Promise<Table> {
  const measured: Measured[] = [];
  for (const setting of SETTINGS) measured.push(await measure(setting));
  return {
    title: '(e) Admission: creating a pod, p50 / p99 in ms',
    columns: ['policies', 'none', 'Pod Security', 'checks nothing', 'ours', 'ours / Pod Security', 'added to none'],
    rows: measured.map(({ title, none, podSecurity, nothing, ours }) => [
      title,
      both(none),
      both(podSecurity),
      both(nothing),
      both(ours),
      ratio(ours.p50, podSecurity.p50),
      shown(ours.p50 - none.p50, 'ms'),
    ]),
    notes: [
      `The bench makes ${PODS} dry runs in each of four namespaces on one API server, one after the other and in turn.`,
      '"Checks nothing" is one ValidatingAdmissionPolicy with the expression `true`. No ValidatingAdmissionPolicy costs less.',
      'Policies of one selector select the same namespaces. Policies of own selectors all select the measured namespace.',
      'If only the last policy by name admits the pod, the API server evaluates every other policy before the last policy.',
      'If the policies are disjoint, 99 of the policies select other namespaces.',
      ...[...new Set(measured.map((one) => one.series))].flatMap((name) => (name ? growthOf(name, measured) : [])),
    ],
    measured,
  };
}

async function measure(setting: Setting): Promise<Measured> {
  const { policies } = setting;
  const cluster = await startBenchCluster();
  const { client, controlPlane } = cluster;
  const operator = startOperator(controlPlane.kubeconfig);
  try {
    for (const [name, labels] of Object.entries(NAMESPACES)) await createNamespace(client, name.toLowerCase(), labels);
    const names = policies.map((_, index) => `policy-${String(index).padStart(3, '0')}`);
    await writeByHand(client, 'nothing', 'true');
    await bindByHand(client, 'nothing', NAMESPACES.nothing);
    for (const [index, name] of names.entries()) await applyPolicy(client, name, policies[index] ?? {});
    await operator.during(allProgrammed(client, names));
    const times = { none: [], podSecurity: [], nothing: [], ours: [] } as Record<keyof typeof NAMESPACES, number[]>;
    for (let round = -WARM_UP; round < PODS; round++) {
      for (const [name, list] of Object.entries(times)) {
        const time = await timeOfPod(client, name.toLowerCase());
        if (round >= 0) list.push(time);
      }
    }
    const { none, podSecurity, nothing, ours } = times;
    return {
      ...setting,
      none: spreadOf(none),
      podSecurity: spreadOf(podSecurity),
      nothing: spreadOf(nothing),
      ours: spreadOf(ours),
    };
  } finally {
    await operator.stop();
    await cluster.stop();
  }
}

/** Measures the creation of a pod. @returns the time in milliseconds */
async function timeOfPod(client: ApiClient, namespace: string): Promise<number> {
  const started = performance.now();
  await createPod(client, namespace);
  return performance.now() - started;
}

/**
 * Makes policies that all select the measured namespace.
 *
 * @param admitting says which of the policies admit the pod
 * @param selectorOf returns the selector of the policy with the given index
 */
function meeting(count: number, admitting: Admitting, selectorOf: (index: number) => LabelSelector) {
  const users = (i: number) =>
    ADMITTING[admitting](i, count) ? ([USER, USER + i] as const) : ([i + 1, i + 1] as const);
  // All policies differ, so that the API server evaluates each policy separately.
  return Array.from({ length: count }, (_, i) => policy(selectorOf(i), users(i)));
}

function series(name: string, admitting: Admitting, selectorOf: (index: number) => LabelSelector): Setting[] {
  return [5, 14].map((count) => ({
    title: `${count} ${name}, ${admitting} admits`,
    series: `${name}, where ${admitting} admits,`,
    policies: meeting(count, admitting, selectorOf),
  }));
}

function growthOf(name: string, measured: readonly Measured[]): string[] {
  const some = measured.filter(({ series }) => series === name);
  return growth(
    `The cost of policies ${name} grows with their number`,
    some.map(({ policies }) => policies.length),
    some.map(({ ours, none }) => ours.p50 - none.p50),
  );
}

function disjoint(count: number): CapabilityPolicySpec[] {
  return Array.from({ length: count }, (_, index) => policy({ matchLabels: { [LABEL]: String(index) } }, [USER, USER]));
}

function ofOneSelector(): LabelSelector {
  return { matchLabels: NAMESPACES.ours };
}

function ofOwnSelectors(index: number): LabelSelector {
  return { ...ofOneSelector(), matchExpressions: [{ key: `own-${index}`, operator: 'DoesNotExist' }] };
}

/** A policy that admits a range of user IDs. @param users the first and the last user ID of the range */
function policy(namespaceSelector: LabelSelector, [min, max]: readonly [number, number]): CapabilityPolicySpec {
  return {
    namespaceSelector,
    level: 'restricted',
    mode: 'Enforce',
    overrides: { runAsUser: { rule: 'MustRunAs', ranges: [{ min, max }] } },
  };
}

function both({ p50, p99 }: Spread): string {
  return `${shown(p50)} / ${shown(p99)}`;
}
