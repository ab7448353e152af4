/**
 * Tests the page with a real cluster. The page must agree with `cappol status`, with `cappol check --cluster`, and with
 * the status of the policies.
 */
import assert from 'node:assert/strict';
import type { CheckedItem } from '../../analysis/check/result.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import type { StatusView } from '../../cli/commands/status/view.ts';
import type { Json } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicyStatus } from '../../operator/api/capability-policy.ts';
import { rolloutLabel } from '../../operator/policy/parts.ts';
import { CHROMIUM } from '../support/browser.ts';
import { cappol } from '../support/cappol.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { describeWith } from '../support/needs.ts';
import { assertSaysTheSame } from '../support/page-says.ts';
import { baselinePod, hostNetworkPod, privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { POLICIES } from '../support/rendered.ts';
import { usePage } from '../support/tested-page.ts';

const TEAMS = ['shop', 'net'];

describeWith(CHROMIUM, 'the page of a real cluster', () => {
  const cluster = useCluster('page');
  const pages = usePage();

  const PODS: Readonly<Record<string, Json>> = {
    restricted: restrictedPod(),
    ping: restrictedPod({ add: ['NET_RAW'] }),
    time: restrictedPod({ add: ['SYS_TIME'], serviceAccountName: 'pinger' }),
    baseline: baselinePod(),
    privileged: privilegedPod(),
    network: hostNetworkPod(),
  };

  before(async () => {
    const namespaces: string[] = [];
    for (const team of TEAMS) namespaces.push(await cluster.namespace(team, { team: `page-${team}` }));
    for (const namespace of namespaces) {
      for (const name of Object.keys(PODS)) {
        await cluster.api.apply(
          `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`,
          deployment(name, namespace),
        );
      }
    }
    const selecting = (team: string) => ({ namespaceSelector: { matchLabels: { team: `page-${team}` } } });
    const strict = { level: 'restricted', mode: 'Enforce' } as const;
    const enforced = await cluster.policy('strict', { ...selecting('shop'), ...strict });
    const shared = await cluster.policy('ping', {
      ...selecting('shop'),
      ...strict,
      overrides: { capabilities: { allowedAdd: ['NET_RAW'] } },
      usableBy: 'Bindings',
    });
    const warned = await cluster.policy('warn', {
      ...selecting('net'),
      level: 'baseline',
      mode: 'Warn',
      expires: '2099-01-01T00:00:00Z',
    });
    const audited = await cluster.policy('audit', { namespaceSelector: {}, level: 'restricted' });
    const rolled = await cluster.policy('roll', { ...selecting('net'), ...strict, rollout: { soak: '24h' } });
    await cluster.programmed(enforced, shared, warned, audited, rolled);
  });

  function deployment(name: string, namespace: string): object {
    const labels = { app: name };
    const template = { metadata: { labels }, spec: PODS[name].spec };
    const spec = { replicas: 0, selector: { matchLabels: labels }, template };
    return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace }, spec };
  }

  async function json<Value>(...args: readonly string[]): Promise<Value> {
    const { stdout, stderr } = await cappol([...args, '--kubeconfig', cluster.controlPlane.kubeconfig]);
    assert.equal(stderr, '');
    return JSON.parse(stdout) as Value;
  }

  it('the page agrees with cappol status, with cappol check, and with the statuses', async () => {
    const { status, items, statuses } = await eventually('the statuses to name what cappol finds', async () => {
      const [view, checked, policies] = await Promise.all([
        json<StatusView>('status', '-A', '-o', 'json'),
        json<{ items: CheckedItem[] }>('check', '--cluster', '-A', '-o', 'json'),
        cluster.api.list(POLICIES),
      ]);
      const written = new Map(
        policies.map(({ metadata, status = {} }: Json): [string, CapabilityPolicyStatus] => [metadata.name, status]),
      );
      const isWritten = view.policies.every(({ name, workloads }) => {
        const reported = written.get(name)?.workloads;
        return reported?.violating === workloads.violating && reported.evaluated === workloads.evaluated;
      });
      return isWritten && { status: view, items: checked.items, statuses: written };
    });
    const snapshot = await json<Snapshot>('snapshot');
    const labels = new Map(snapshot.namespaces.map((namespace) => [namespace.name, namespace.labels]));
    const { page } = await pages.open(pages.fileOf([snapshot]));
    const isPending = (policy: string, namespace: string) =>
      Object.hasOwn(labels.get(namespace) ?? {}, rolloutLabel(policy));
    const cells = await assertSaysTheSame(page, { status, items, statuses, isPending });
    console.log(`      ${status.policies.length} policies, ${items.length} workloads, ${cells} cells`);
    assert.ok(cells > 100);
  });
});
