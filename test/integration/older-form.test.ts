/**
 * Tests objects of an older operator. The older operator wrote one admission policy for each CapabilityPolicy, with a
 * hash in the name. The file older-form.jsonl.gz contains the objects that commit e48cf55 compiled from POLICIES for
 * Kubernetes 1.36.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Json } from '../../hack/controlplane/api.ts';
import { COLLECTIONS, renderedObjects } from '../../hack/controlplane/rendered.ts';
import type { CapabilityPolicyOverrides, CapabilityPolicySpec } from '../../operator/api/capability-policy.ts';
import { ADMITTED, eventually, serviceAccount, useCluster } from '../support/harness.ts';
import { allowEditor, change, EDITOR } from '../support/namespace-changes.ts';
import { describeIfOffered } from '../support/needs.ts';
import { baselinePod, podManifest, privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES as POLICIES_PATH } from '../support/rendered.ts';
import { type Attempt, Traffic } from '../support/traffic.ts';

const TEAM = 'older-form-team';
const LEVEL = { level: 'restricted', levelVersion: 'v1.30', podSecurityLabels: 'Off' } as const;
const NET_RAW = { capabilities: { allowedAdd: ['NET_RAW'] } } as CapabilityPolicyOverrides;
const of = (team: string) => ({ ...LEVEL, namespaceSelector: { matchLabels: { team } } });

const POLICIES: Readonly<Record<string, CapabilityPolicySpec>> = {
  it: { ...of('older'), mode: 'Enforce' },
  exception: {
    ...of('older'),
    mode: 'Enforce',
    overrides: NET_RAW,
    usableBy: 'Subjects',
    subjects: [{ kind: 'ServiceAccount', namespace: TEAM, name: 'pinger' }],
  },
  rollout: { ...of('older-rollout'), mode: 'Enforce', rollout: { paused: true } },
  filling: { ...of('older-filling'), mode: 'Enforce', defaulting: 'Enabled' },
  warned: { ...of('older'), mode: 'Warn' },
};
const PENDING = 'rollout.capabilitypolicy.dev/older-form-rollout';

/** A pod that complies only after defaulting. */
const BARE = podManifest({ name: 'bare' }, { containers: [{ name: 'main', image: 'example.org/app' }] });

describeIfOffered('admissionVariables', 'objects in the form of an operator before programs', function () {
  this.timeout(240_000);
  const cluster = useCluster('older-form');
  let attempts: readonly Attempt[];

  before(async () => {
    await allowEditor(cluster.api);
    await cluster.namespace('team', { team: 'older' });
    await cluster.serviceAccount(TEAM, 'pinger');
    const [enforced, pending, filling] = [
      await cluster.namespace('enforced', { team: 'older-rollout' }),
      await cluster.namespace('pending', { team: 'older-rollout', [PENDING]: 'pending' }),
      await cluster.namespace('filling', { team: 'older-filling' }),
    ];
    const pinging = restrictedPod({ add: ['NET_RAW'], serviceAccountName: 'pinger' });
    attempts = [
      { pod: privilegedPod(), namespace: TEAM, expected: 'refused' },
      { pod: baselinePod(), namespace: TEAM, expected: 'refused' },
      { pod: restrictedPod(), namespace: TEAM, expected: 'admitted' },
      { pod: pinging, namespace: TEAM, as: serviceAccount(TEAM, 'pinger'), expected: 'admitted' },
      { pod: restrictedPod({ add: ['NET_RAW'] }), namespace: TEAM, expected: 'refused' },
      { pod: baselinePod(), namespace: enforced, expected: 'refused' },
      { pod: restrictedPod(), namespace: enforced, expected: 'admitted' },
      { pod: privilegedPod(), namespace: pending, expected: 'admitted' },
      { pod: privilegedPod(), namespace: filling, expected: 'refused' },
      { pod: BARE, namespace: filling, expected: 'admitted' },
    ];
  });

  beforeEach(async () => {
    await cluster.operator.stop();
    for (const [name, spec] of Object.entries(POLICIES)) await cluster.policy(name, spec);
    for (const object of await olderObjects()) {
      await cluster.byHand.apply(pathOf(object), object, 'capabilitypolicy.dev');
    }
    let last: string | undefined;
    const look = async () => {
      last = await wrong();
      return last === undefined;
    };
    await eventually('the older form to be in force', look, 60_000).catch((error: Error) => {
      throw new Error(`${error.message}: ${last}`);
    });
  });

  afterEach(async () => {
    await cluster.deletePolicies();
    await cluster.operator.start();
    await cluster.settled();
  });

  it('the older objects are deleted when the programs are in force, and no answer in between is wrong', async () => {
    const traffic = new Traffic(cluster, attempts);
    let left = 0;
    let done = false;
    const leaving = (async () => {
      while (!done) {
        const { status } = await change(cluster.api, TEAM, { labels: { team: null } }, EDITOR);
        if (status < 300) left++;
      }
    })();
    try {
      await cluster.operator.startAndWatch();
      await cluster.programmed(...Object.keys(POLICIES).map((name) => cluster.named(name)));
      assert.deepEqual(await olderNames(), []);
    } finally {
      done = true;
      await leaving;
      await traffic.stop();
    }
    assert.deepEqual(traffic.surprises, []);
    assert.equal(left, 0);
    assert.ok(traffic.tried > 10 * attempts.length, `${traffic.tried} attempts`);
    await cluster.settled();

    const written = cluster.operator.log.filter(({ message }) => /^(created|deleted) object$/.test(message));
    const names = written.map(({ message, name }) => `${message} ${name}`);
    const proved = names.indexOf('created object capabilitypolicy.enforce-probe');
    const deleted = names.findIndex((one) =>
      /^deleted object capabilitypolicy(-older|[.]guard-[0-9a-f]{12})/.test(one),
    );
    assert.ok(proved >= 0 && deleted > proved, names.join('\n'));
    const { metadata } = await cluster.api.get(`${NAMESPACES}/${cluster.named('pending')}`);
    assert.equal(metadata.labels[PENDING], 'pending');
  });

  it('the older text of a policy stays in force if an edit made the policy invalid before the upgrade', async () => {
    await cluster.policy('it', { ...of('older'), mode: 'Enforce', levelVersion: 'v1.99' });
    const traffic = new Traffic(cluster, attempts);
    await cluster.operator.startAndWatch();
    await eventually(
      'the refusal',
      async () => (await cluster.condition(cluster.named('it'), 'Accepted'))?.status === 'False',
    );
    await eventually('the older form to be deleted', async () => (await olderNames()).length === 0);
    await traffic.stop();
    assert.deepEqual(traffic.surprises, []);
    assert.equal(await wrong(), undefined);
  });

  it('the older objects are deleted with their policies, even if a user deleted the policies with orphaned objects', async () => {
    for (const name of Object.keys(POLICIES)) await cluster.deletePolicy(cluster.named(name), 'Orphan');
    await cluster.operator.startAndWatch();
    await eventually('everything to be deleted', async () => (await renderedObjects(cluster.api)).length === 0);
    assert.equal(await cluster.admit(privilegedPod(), TEAM), ADMITTED);
  });

  /** Describes the first wrong answer. If all answers are right, the function returns undefined. */
  async function wrong(): Promise<string | undefined> {
    for (const { pod, namespace, as, expected } of attempts) {
      const answer = await cluster.admit(pod, namespace, as);
      if ((answer === ADMITTED) !== (expected === 'admitted')) {
        return `${JSON.stringify(pod)} in ${namespace} should be ${expected}: ${answer}`;
      }
    }
    const { status } = await change(cluster.api, TEAM, { labels: { team: null } }, EDITOR);
    return status === 403 ? undefined : `${TEAM} may leave its policies`;
  }

  async function olderObjects(): Promise<Json[]> {
    const policies = await cluster.api.list(POLICIES_PATH);
    const uids = new Map(policies.map(({ metadata }) => [metadata.name, metadata.uid]));
    const file = gunzipSync(readFileSync(join(import.meta.dirname, 'older-form.jsonl.gz'))).toString();
    const text = file.replace(/uid-of-([a-z-]+)/g, (_, name) => uids.get(name) ?? '');
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  }

  async function olderNames(): Promise<string[]> {
    const names = (await renderedObjects(cluster.api)).map(({ metadata }) => metadata.name as string);
    return names.filter((name) => /^capabilitypolicy(-|[.]guard-[0-9a-f]{12})/.test(name));
  }
});

function pathOf({ kind, metadata }: Json): string {
  return `${COLLECTIONS[kind]}/${metadata.name}`;
}
