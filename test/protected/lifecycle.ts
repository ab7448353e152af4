/**
 * Tests Helm, two replicas, restarts and failover on an API server with the protection. `npm run test:protected` runs
 * this file.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tools } from '../../hack/tools.ts';
import { ELECTION, newOperator } from '../soak/replicas.ts';
import type { Audit } from '../support/audit.ts';
import { type Deployment, flagsOf } from '../support/deployment.ts';
import { eventually, OPERATOR_NAMESPACE, useCluster } from '../support/harness.ts';
import type { OperatorProcess } from '../support/operator-process.ts';
import { assertNoneRefused } from '../support/own-writes.ts';
import { documentedBlocks } from '../support/page.ts';
import { privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { startAudited } from '../support/protected.ts';
import { POLICIES } from '../support/rendered.ts';
import { CONFIG, OPERATOR_ACCOUNT, operatorKubeconfig } from '../support/rights.ts';
import { Traffic } from '../support/traffic.ts';

const CHART = join(CONFIG, 'helm', 'capabilitypolicy');
const RELEASE = 'capabilitypolicy';
const IN_NAMESPACE = ['--namespace', OPERATOR_NAMESPACE];
const DEPLOYMENT = `/apis/apps/v1/namespaces/${OPERATOR_NAMESPACE}/deployments/${OPERATOR_ACCOUNT}`;
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/capabilitypolicies.capabilitypolicy.dev';
const REFUSED = /CapabilityPolicy protection: this change of the CRD could alter or drop stored CapabilityPolicies/;

describe('on API servers that protect the enforcement', function () {
  this.timeout(300_000);
  let directory = '';
  let audit: Audit;
  let stop: () => Promise<void> = async () => {};
  let tools: Tools;
  let newer: string;
  let standBy: OperatorProcess;
  let namespace: string;
  let policy: string;
  const cluster = useCluster('lifecycle', {
    controlPlane: async () => {
      const started = await startAudited();
      ({ directory, audit, stop } = started);
      return started.controlPlane;
    },
    // The operator authenticates without a token, because `helm uninstall` deletes the operator's service account with
    // all tokens.
    kubeconfig: operatorKubeconfig,
    installWith: 'helm',
    args: ELECTION,
  });

  before(async () => {
    tools = await Tools.withHelm(cluster.controlPlane.kubeconfig);
    newer = chartWithAnotherField();
    namespace = await cluster.namespace('team', { team: 'lifecycle' });
    policy = await enforced('baseline');
    standBy = newOperator(cluster.operatorKubeconfig);
    await standBy.startAndWatch();
  });

  after(async () => {
    await standBy?.stop();
    tools?.end();
    rmSync(newer, { recursive: true, force: true });
    await stop();
  });

  async function enforced(level: 'baseline' | 'restricted'): Promise<string> {
    const namespaceSelector = { matchLabels: { team: 'lifecycle' } };
    const changed = await cluster.policy('it', {
      namespaceSelector,
      level,
      mode: 'Enforce',
      podSecurityLabels: 'Off',
      defaulting: 'Enabled',
    });
    await cluster.programmed(changed);
    return changed;
  }

  async function flags(): Promise<readonly string[]> {
    return flagsOf((await cluster.api.get(DEPLOYMENT)) as Deployment);
  }

  /** Whether the CRD on the API server has the new field of the newer release. */
  async function knowsField(): Promise<boolean> {
    return JSON.stringify((await cluster.api.get(CRD)).spec).includes('"addedByTheTest"');
  }

  describe('with two replicas', () => {
    for (const [signal, roles, level] of [
      ['SIGTERM', () => [cluster.operator, standBy] as const, 'restricted'],
      ['SIGKILL', () => [standBy, cluster.operator] as const, 'baseline'],
    ] as const) {
      it(`the other one leads and writes after ${signal} to the leader, and no wrong pod is admitted meanwhile`, async () => {
        const [leader, other] = roles();
        const traffic = new Traffic(cluster, [
          { pod: privilegedPod(), namespace, expected: 'refused' },
          { pod: restrictedPod(), namespace, expected: 'admitted' },
        ]);
        const before = other.log.length;
        await leader.stop(signal);
        const leads = () => other.log.slice(before).some(({ message }) => message === 'started leading');
        await eventually('the other one to lead', async () => leads());
        await enforced(level);
        await leader.startAndWatch();
        await traffic.stop();
        assert.deepEqual(traffic.surprises, []);
        assert.ok(traffic.tried > 100, `${traffic.tried}`);
      });
    }

    it('the two replicas write again after a restart of the API server', async () => {
      await cluster.controlPlane.restartApiServer();
      await enforced('restricted');
      await cluster.settled();
    });
  });

  describe('helm', () => {
    it('upgrades as documented', async () => {
      const [upgrade = ''] = documentedBlocks('docs/operations.md', 'Upgrade');
      await tools.shell(upgrade);
    });

    it('helm upgrades to a release whose CRD has an additional field', async () => {
      await tools.run('helm', 'upgrade', RELEASE, newer, ...IN_NAMESPACE, '--set', 'flags.log-level=debug');
      assert.ok((await flags()).includes('--log-level=debug'));
      assert.ok(await knowsField());
    });

    it('when helm rolls back over the new field, the CRD is refused, and everything else is rolled back', async () => {
      await assert.rejects(tools.run('helm', 'rollback', RELEASE, '1', ...IN_NAMESPACE), REFUSED);
      assert.ok(!(await flags()).includes('--log-level=debug'));
      assert.ok(await knowsField());
    });

    it('when helm installs an older chart, the CRD is refused, and helm can then install the newer chart', async () => {
      await assert.rejects(tools.run('helm', 'upgrade', RELEASE, CHART, ...IN_NAMESPACE), REFUSED);
      await tools.run('helm', 'upgrade', RELEASE, newer, ...IN_NAMESPACE);
    });

    it('rolls back while the file is away', async () => {
      const file = join(directory, 'validating', 'protection.yaml');
      const away = join(directory, 'protection.yaml');
      renameSync(file, away);
      await eventually('the API server to notice', async () => !(await isProtected()));
      await tools.run('helm', 'rollback', RELEASE, '1', ...IN_NAMESPACE);
      assert.ok(!(await knowsField()));
      renameSync(away, file);
      await eventually('the API server to notice', isProtected);
    });

    it('leaves the enforcement as it was', async () => {
      assert.match(await cluster.admit(privilegedPod(), namespace), new RegExp(policy));
      // The API server needs a moment to read the changed CRD.
      await eventually('the API', async () => (await cluster.api.ask('GET', POLICIES)).status === 200);
      await enforced('baseline');
      await cluster.settled();
    });

    it('when helm uninstalls the operator, the policies in force stay in force', async () => {
      await Promise.all([cluster.operator, standBy].map((one) => one.stop()));
      await tools.run('helm', 'uninstall', RELEASE, ...IN_NAMESPACE);
      assert.match(await cluster.admit(privilegedPod(), namespace), new RegExp(policy));
      await tools.run('helm', 'install', RELEASE, CHART, ...IN_NAMESPACE);
    });
  });

  // This describe is nested, because its tests have to run after all other tests of the file.
  describe('after all of this', () => {
    it('no write of the operator was refused', () => {
      console.log(assertNoneRefused(audit.events()));
    });
  });

  async function isProtected(): Promise<boolean> {
    const { status } = await cluster.api.ask('DELETE', CRD, { query: { dryRun: 'All' } });
    return status === 403;
  }
});

/** A chart that resembles the chart of a later release. A later release only adds fields. */
function chartWithAnotherField(): string {
  const chart = mkdtempSync(join(tmpdir(), 'capabilitypolicy-chart-'));
  cpSync(CHART, chart, { recursive: true });
  const file = join(chart, 'templates', 'crd.yaml');
  const text = readFileSync(file, 'utf8');
  const changed = text.replace(/^( +)paused:$/m, '$1addedByTheTest: { type: string }\n$&');
  assert.notEqual(changed, text);
  writeFileSync(file, changed);
  return chart;
}
