/** Records the visible state of a policy: its status at every moment, and its Events. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Api, Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicyStatus, Condition, Violation } from '../../operator/api/capability-policy.ts';
import { eventually, type TestCluster } from './harness.ts';
import { NAMESPACES, POLICIES } from './rendered.ts';

/** Every state of the policies since the start, in the order of the API server's watch. */
export class Observation {
  readonly states: Json[] = [];
  readonly #stop: () => void;

  private constructor(cluster: TestCluster, { items, metadata: { resourceVersion } }: Json) {
    this.states.push(...items);
    const { kubectl, kubeconfig } = cluster.controlPlane;
    const path = `${POLICIES}?watch=true&resourceVersion=${resourceVersion}`;
    const child = spawn(kubectl, ['--kubeconfig', kubeconfig, 'get', '--raw', path], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.states.push(JSON.parse(line).object));
    this.#stop = () => void child.kill('SIGKILL');
  }

  static async begin(cluster: TestCluster): Promise<Observation> {
    return new Observation(cluster, await cluster.api.get(POLICIES));
  }

  /** @returns all states of one policy so far */
  async end(cluster: TestCluster, policy: string): Promise<Json[]> {
    const { metadata } = await cluster.api.get(`${POLICIES}/${policy}`);
    const isNow = ({ metadata: seen }: Json) => seen.resourceVersion === metadata.resourceVersion;
    await eventually('the watch to show all', async () => this.states.some(isNow)).finally(this.#stop);
    return this.states.filter((state) => state.metadata.name === policy);
  }
}

/** Checks each state and each transition against the rules of kstatus and of this project. */
export function assertWellFormed(states: readonly Json[]): void {
  let before: readonly Condition[] = [];
  for (const { metadata, status = {} } of states) {
    const conditions: readonly Condition[] = status.conditions ?? [];
    if (conditions.length > 0) assertConditions(conditions, status, metadata.generation);
    assertTransitions(before, conditions);
    before = conditions;
  }
}

function assertConditions(conditions: readonly Condition[], status: CapabilityPolicyStatus, generation: number): void {
  const text = JSON.stringify(conditions);
  const is = (wanted: string, value: string) =>
    conditions.some(({ type, status }) => type === wanted && status === value);
  const types = conditions.map(({ type }) => type);
  assert.deepEqual(types, [...new Set(types)].sort(), text);
  for (const type of ['Accepted', 'Compliant', 'Programmed', 'Ready']) assert.ok(types.includes(type), text);
  assert.equal(is('Ready', 'True'), is('Accepted', 'True') && is('Programmed', 'True'), text);
  assert.equal(is('Stalled', 'True'), is('Accepted', 'False'), text);
  if (is('Ready', 'True')) assert.ok(!types.includes('Reconciling') && !types.includes('Stalled'), text);
  for (const { reason, message, observedGeneration = 0 } of conditions) {
    assert.match(reason, /^[A-Z][A-Za-z]+$/);
    assert.ok(message.length > 0 && !message.includes('\n'), text);
    assert.ok(observedGeneration > 0 && observedGeneration <= generation, text);
  }
  const ready = conditions.find(({ type }) => type === 'Ready');
  assert.equal(ready?.observedGeneration, status.observedGeneration, text);
}

function assertTransitions(before: readonly Condition[], conditions: readonly Condition[]): void {
  for (const one of conditions) {
    const old = before.find(({ type }) => type === one.type);
    if (old?.status === one.status) {
      assert.equal(one.lastTransitionTime, old.lastTransitionTime, JSON.stringify([old, one]));
    } else if (old) {
      assert.ok(one.lastTransitionTime >= old.lastTransitionTime, JSON.stringify([old, one]));
    }
  }
}

/** Waits for `ms` milliseconds and checks that the object is not written. */
export async function assertStill(api: Api, path: string, ms: number): Promise<void> {
  const before = await api.get(path);
  await sleep(ms);
  assert.deepEqual(await api.get(path), before);
}

/**
 * The operator's Events about an object, oldest first. Events about a cluster-scoped object are in the namespace
 * `default`.
 */
export async function eventsAbout(api: Api, kind: string, name: string, namespace = 'default'): Promise<Json[]> {
  const events = await api.list(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
  return events
    .filter(({ reportingController, regarding }) => {
      const ours = reportingController === 'capabilitypolicy.dev';
      return ours && regarding.kind === kind && regarding.name === name;
    })
    .sort((a, b) => (a.eventTime < b.eventTime ? -1 : 1));
}

export async function statusOf(api: Api, policy: string): Promise<CapabilityPolicyStatus> {
  const { status } = await api.get(`${POLICIES}/${policy}`);
  return status ?? {};
}

/** Filters the violations in a status. The result has only the violations that have all values of `wanted`. */
export function entries(status: CapabilityPolicyStatus, wanted: Partial<Violation>): Violation[] {
  return (status.violations ?? []).filter((entry) =>
    Object.entries(wanted).every(([field, value]) => entry[field as keyof Violation] === value),
  );
}

/** The time in ms from the start of `write` until `look` finds something. */
export async function timed(
  what: string,
  write: () => Promise<unknown>,
  look: () => Promise<unknown>,
): Promise<number> {
  const began = Date.now();
  await write();
  await eventually(what, async () => Boolean(await look()));
  return Date.now() - began;
}

/**
 * Deletes a namespace at once. The function does not wait until controllers have deleted the objects in the namespace.
 * Tests do not depend on these objects.
 */
export async function vanish(api: Api, name: string): Promise<void> {
  const path = `${NAMESPACES}/${name}`;
  await api.remove(path);
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: { finalizers: [] } };
  const { status } = await api.ask('PUT', `${path}/finalize`, { body });
  assert.ok(status === 200 || status === 404, `${status}`);
}

/**
 * Returns the Pod Security labels of a namespace, without the common prefix of these labels. Also returns the
 * operator's record of its own labels.
 */
export async function podSecurityOf(api: Api, namespace: string): Promise<{ labels: Json; record: Json }> {
  const { metadata } = await api.get(`${NAMESPACES}/${namespace}`);
  const short = (labels: Json) =>
    Object.fromEntries(
      Object.entries(labels).flatMap(([key, value]) => {
        const [prefix, name] = key.split('/');
        return prefix === 'pod-security.kubernetes.io' ? [[name, value]] : [];
      }),
    );
  const record = metadata.annotations?.['capabilitypolicy.dev/labels'] ?? '{}';
  return { labels: short(metadata.labels ?? {}), record: record.startsWith('{') ? short(JSON.parse(record)) : record };
}
