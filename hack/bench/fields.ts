/**
 * (k) What single fields of a policy add to the creation of a pod: the same pod under a policy with the field and under one
 * without it, in turns on one API server.
 */
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import type { ApiClient } from '../../operator/cluster/client.ts';
import { offers } from '../../operator/standards/server-features.ts';
import { SERVER_MINOR } from '../controlplane/version.ts';
import { createNamespace, startBenchCluster } from './bench-cluster.ts';
import { type Spread, shown, spreadOf } from './numbers.ts';
import { CONFINED, createPod } from './pods.ts';
import { during, type Rules, renderedFor } from './requests.ts';
import type { Table } from './table.ts';

interface Row {
  readonly field: string;
  readonly pod: string;
  readonly without: Rules;
  readonly with: Rules;
  /** The capabilities that the pod adds, and fields of its spec. */
  readonly add?: readonly string[];
  readonly spec?: object;
}

interface Measured {
  readonly field: string;
  readonly pod: string;
  readonly without: Spread;
  readonly with: Spread;
  /** The time with the field less the time without it, in each round. In ms. */
  readonly added: Spread;
}

const WARM_UP = 50;
const ROUNDS = 1_000;
const SENTINEL = 'sentinel';
const FORMS = ['without', 'with'] as const;
/** In ms; docs/performance.md states it. */
const MOST_ADDED = 0.1;

const [OWN, MAPPED] = [['NET_BIND_SERVICE'], ['NET_ADMIN', 'SYS_PTRACE']];
const EVERYWHERE: Rules = rules({ capabilities: { allowedAdd: [...OWN, ...MAPPED] } });
const IN_USER_NAMESPACES: Rules = rules({
  capabilities: { allowedAdd: OWN, allowedAddInUserNamespace: MAPPED },
});

const ROWS: readonly Row[] = [
  { field: 'none: how far two equal policies differ', pod: 'adds nothing', without: EVERYWHERE, with: EVERYWHERE },
  { field: 'allowedAddInUserNamespace', pod: 'adds nothing', without: EVERYWHERE, with: IN_USER_NAMESPACES },
  {
    field: 'allowedAddInUserNamespace',
    pod: 'adds NET_ADMIN in a user namespace',
    without: EVERYWHERE,
    with: IN_USER_NAMESPACES,
    add: ['NET_ADMIN'],
    spec: { hostUsers: false },
  },
  {
    field: 'allowedAddInUserNamespace, beside allowedBounding',
    pod: 'adds NET_ADMIN in a user namespace',
    without: rules({ capabilities: { allowedAdd: [...OWN, ...MAPPED], allowedBounding: [...OWN, ...MAPPED] } }),
    with: rules({ capabilities: { allowedAdd: OWN, allowedAddInUserNamespace: MAPPED, allowedBounding: OWN } }),
    add: ['NET_ADMIN'],
    spec: { hostUsers: false },
  },
  {
    field: 'containers, one entry by name',
    pod: 'adds nothing',
    without: rules({}),
    with: { ...rules({}), containers: [{ names: ['proxy'], overrides: EVERYWHERE.overrides ?? {} }] },
  },
  {
    field: 'containers, one entry by name and image',
    pod: 'adds NET_ADMIN',
    without: EVERYWHERE,
    with: {
      ...rules({}),
      containers: [{ names: ['app', 'proxy'], images: ['app', 'proxy'], overrides: EVERYWHERE.overrides ?? {} }],
    },
    add: ['NET_ADMIN'],
  },
  {
    field: 'expires',
    pod: 'adds nothing',
    without: rules({}),
    with: { ...rules({}), expires: '2099-01-01T00:00:00Z' },
  },
  {
    field: 'supplementalGroups.policy',
    pod: 'sets Strict',
    without: rules({}),
    with: rules({ supplementalGroups: { policy: 'Strict' } }),
    spec: { securityContext: { supplementalGroupsPolicy: 'Strict', ...CONFINED } },
  },
];

export async function fields(): Promise<Table> {
  if (!offers(SERVER_MINOR, 'userNamespaces')) throw new Error('part k needs an API server of v1.33 or newer');
  const { client, stop } = await startBenchCluster();
  try {
    const policies = ROWS.flatMap((row, index) => FORMS.map((form) => [namespaceOf(index, form), row[form]] as const));
    for (const namespace of [SENTINEL, ...policies.map(([name]) => name)]) await createNamespace(client, namespace);
    const measured = await during(client, renderedFor(policies), async () => {
      const all: Measured[] = [];
      for (const [index, row] of ROWS.entries()) all.push(await measure(client, row, index));
      return all;
    });
    return describe(measured);
  } finally {
    await stop();
  }
}

function describe(measured: readonly Measured[]): Table {
  return {
    title: '(k) Admission: what a field adds to the creation of a pod, in ms',
    columns: ['field', 'pod', 'without, p50', 'with, p50', 'added, median', 'at most'],
    rows: measured.map(({ field, pod, ...times }) => [
      field,
      pod,
      shown(times.without.p50),
      shown(times.with.p50),
      `${times.added.p50 < 0 ? '−' : '+'}${shown(Math.abs(times.added.p50))}`,
      `${MOST_ADDED}: ${times.added.p50 <= MOST_ADDED ? 'yes' : 'no'}`,
    ]),
    notes: [
      `Dry runs, one after the other, ${ROUNDS} of each pod under either policy, in turns, the first of the two in turns as well.`,
      'Added: the median over the rounds of the time with the field less the time without it. Both policies admit the pod.',
    ],
    measured,
  };
}

async function measure(client: ApiClient, { field, pod, add, spec }: Row, index: number): Promise<Measured> {
  const times: Record<(typeof FORMS)[number], number[]> = { without: [], with: [] };
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const turns = round % 2 === 0 ? FORMS : FORMS.toReversed();
    for (const form of turns) {
      const started = performance.now();
      await createPod(client, namespaceOf(index, form), add, spec);
      if (round >= 0) times[form].push(performance.now() - started);
    }
  }
  const added = times.with.map((time, round) => time - (times.without[round] ?? Number.NaN));
  return { field, pod, without: spreadOf(times.without), with: spreadOf(times.with), added: spreadOf(added) };
}

function namespaceOf(row: number, form: string): string {
  return `field-${row}-${form}`;
}

function rules(overrides: CapabilityPolicyOverrides): Rules {
  return { level: 'restricted', mode: 'Enforce', overrides };
}
