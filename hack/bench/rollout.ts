/**
 * Part (l) of the bench measures the beginning of a rollout over many namespaces. The baseline is a loop that only
 * makes the operator's writes. The bench also measures a minute in which nothing changes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ROLLOUT_LABEL_PREFIX } from '../../operator/api/capability-policy.ts';
import { type ApiClient, pathFor } from '../../operator/cluster/client.ts';
import { OPERATOR_NAMESPACE } from '../../operator/model/namespaces.ts';
import { objectOf } from '../../operator/model/raw.ts';
import { waitFor } from '../controlplane/wait.ts';
import { BESIDE_LOOP, besideLoop, labelAll } from './labelling.ts';
import { ratio, shown } from './numbers.ts';
import { allProgrammed, readPolicy } from './policies.ts';
import type { Table } from './table.ts';

interface Measured {
  readonly namespaces: number;
  /** The time in seconds that the bare loop took. */
  readonly loop: number;
  /**
   * The seconds from the creation of the policy until every namespace is pending. `inForce` is the number of seconds
   * from the start of the last round until the policy is in force.
   */
  readonly pending: number;
  readonly inForce: number;
  /** The objects that the operator wrote in a minute in which nothing changed. */
  readonly written: readonly string[];
}

const POLICY = 'rolled-out';
const LABEL = `${ROLLOUT_LABEL_PREFIX}${POLICY}`;
const QUIET_MS = 60_000;
/** The soak time is longer than the measurement. No namespace is therefore promoted during the measurement. */
const ROLLOUT = { meanwhile: 'Audit', soak: '24h' } as const;

/** @param sizes the numbers of namespaces, which are measured one after another */
export async function rollout(sizes: readonly number[]): Promise<Table> {
  const measured: Measured[] = [];
  for (const namespaces of sizes) measured.push(await measure(namespaces));
  return {
    title: '(l) Beginning a rollout, in s',
    columns: ['namespaces', 'bare loop', 'all pending', 'pending / loop', 'in force', 'written in a quiet minute'],
    rows: measured.map((one) => [
      String(one.namespaces),
      shown(one.loop),
      shown(one.pending),
      ratio(one.pending, one.loop),
      shown(one.inForce),
      String(one.written.length),
    ]),
    notes: BESIDE_LOOP,
    measured,
  };
}

async function measure(namespaces: number): Promise<Measured> {
  const { measured, loop } = await besideLoop(namespaces, LABEL, (client) => begin(client, namespaces));
  return { namespaces, ...measured, loop };
}

async function begin(client: ApiClient, namespaces: number): Promise<Omit<Measured, 'namespaces' | 'loop'>> {
  const spec = { mode: 'Enforce', rollout: ROLLOUT } as const;
  const { median: pending, began } = await labelAll(client, { namespaces, label: LABEL, policy: POLICY, spec });
  await allProgrammed(client, [POLICY]);
  const inForce = (performance.now() - began) / 1000;
  await evaluated(client, namespaces);
  const before = await versions(client);
  await sleep(QUIET_MS);
  const after = await versions(client);
  const written = [...after.keys()].filter((key) => before.get(key) !== after.get(key));
  return { pending, inForce, written };
}

/** Resolves when the status has counted all namespaces, and has not changed for some time. */
async function evaluated(client: ApiClient, namespaces: number): Promise<void> {
  let last = '';
  await waitFor(
    'the status to settle',
    async () => {
      const { status, metadata } = await readPolicy(client, POLICY);
      const { soaking = 0, blocked = 0 } = objectOf(objectOf(status).rollout) as { soaking?: number; blocked?: number };
      const version = String(metadata?.resourceVersion);
      const same = version === last;
      last = version;
      return same && soaking + blocked === namespaces;
    },
    { timeoutMs: 600_000, intervalMs: 10_000 },
  );
}

/** The version of each object that the operator writes. The key is the object's path. */
async function versions(client: ApiClient): Promise<Map<string, unknown>> {
  const collections = [
    '/api/v1/namespaces',
    `/api/v1/namespaces/${OPERATOR_NAMESPACE}/configmaps`,
    pathFor('capabilitypolicy.dev/v1alpha1', 'CapabilityPolicy'),
    '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
    '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',
    '/apis/events.k8s.io/v1/events',
  ];
  const all = new Map<string, unknown>();
  for (const collection of collections) {
    const { items } = (await client.get(collection)) as unknown as {
      items: { metadata: { name: string; namespace?: string; resourceVersion: string } }[];
    };
    for (const { metadata } of items)
      all.set(`${collection}: ${metadata.namespace ?? ''}/${metadata.name}`, metadata.resourceVersion);
  }
  return all;
}
