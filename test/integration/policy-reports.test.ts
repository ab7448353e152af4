import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { baselinePod, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { installReportCrd, OPEN_REPORTS, POLICY_REPORTS, removeReportCrd } from '../support/report-crds.ts';

/** The number of violations. A status lists fewer violations. */
const VIOLATING = 70;

describe('policy reports', () => {
  const cluster = useCluster('policy-reports');

  describe('of a namespace', () => {
    let namespace: string;
    let policy: string;
    let cleanSince: string;

    before(async () => {
      namespace = await cluster.namespace('team', { team: 'policy-reports' });
      policy = await cluster.policy('audit', {
        namespaceSelector: { matchLabels: { team: 'policy-reports' } },
        level: 'restricted',
      });
      await template('fine', restrictedPod());
      for (let index = 0; index < VIOLATING; index++) await template(`bad-${index}`, baselinePod());
    });

    after(async () => {
      for (const crd of [OPEN_REPORTS, POLICY_REPORTS]) await removeReportCrd(cluster.api, crd);
    });

    const templates = () => `${NAMESPACES}/${namespace}/podtemplates`;

    async function template(name: string, pod: object): Promise<void> {
      const { spec } = pod as { spec: object };
      await cluster.api.apply(`${templates()}/${name}`, {
        apiVersion: 'v1',
        kind: 'PodTemplate',
        metadata: { name },
        template: { metadata: { labels: { app: 'app' } }, spec },
      });
    }

    /** The reports in all namespaces. If the API server does not serve the kind of the reports, the list is empty. */
    async function reports({ path }: { path: string }): Promise<Json[]> {
      const { status, body } = await cluster.api.ask('GET', path);
      return status === 200 ? body.items : [];
    }

    /** Waits until exactly one report exists, and `wanted` accepts the report. */
    async function report(crd: { path: string }, what: string, wanted: (report: Json) => boolean): Promise<Json> {
      return eventually(`a report ${what}`, async () => {
        const [one, ...others] = await reports(crd);
        return one && others.length === 0 && wanted(one) && one;
      });
    }

    it('reports appear when the CRD of PolicyReports is installed, and name every violating workload', async () => {
      const total = async () => (await cluster.api.get(`${POLICIES}/${policy}`)).status?.violationsTotal === VIOLATING;
      await eventually('the status', total);
      await installReportCrd(cluster.api, POLICY_REPORTS);
      const found = await report(POLICY_REPORTS, 'of all workloads', ({ summary }) => summary.fail >= VIOLATING);
      const names = new Set(found.results.map(({ resources }: Json) => resources[0].name));
      const expected = Array.from({ length: VIOLATING }, (_, index) => `bad-${index}`);
      assert.deepEqual([...names].sort(), expected.sort());
      assert.equal(found.summary.pass, 1);
      assert.equal(found.summary.fail, found.results.length);
      assert.equal(found.metadata.name, `capabilitypolicy-${policy}-1`);
      assert.equal(found.metadata.labels['app.kubernetes.io/managed-by'], 'capabilitypolicy.dev');
      assert.equal(found.metadata.ownerReferences[0].name, policy);
      assert.deepEqual([found.scope.kind, found.scope.name], ['Namespace', namespace]);
      const { body } = await cluster.api.ask('GET', `${templates()}/bad-0`);
      const [resource] = found.results
        .flatMap(({ resources }: Json) => resources)
        .filter(({ name }: Json) => name === 'bad-0');
      const { uid } = body.metadata;
      assert.deepEqual(resource, { apiVersion: 'v1', kind: 'PodTemplate', namespace, name: 'bad-0', uid });
    });

    it('move to OpenReports when it is installed', async () => {
      await installReportCrd(cluster.api, OPEN_REPORTS);
      await report(OPEN_REPORTS, 'in the new API', ({ source, summary }) => source && summary.fail >= VIOLATING);
      await eventually('none to be left in the old one', async () => (await reports(POLICY_REPORTS)).length === 0);
    });

    it('a report says since when its namespace has been without violations', async () => {
      for (let index = 0; index < VIOLATING; index++) await cluster.api.remove(`${templates()}/bad-${index}`);
      const clean = await report(OPEN_REPORTS, 'that is clean', ({ summary }) => summary.fail === 0);
      assert.deepEqual(
        clean.results.map(({ result }: Json) => result),
        ['pass'],
      );
      cleanSince = clean.metadata.annotations['capabilitypolicy.dev/clean-since'];
      assert.ok(Math.abs(Date.now() - Date.parse(cleanSince)) < 120_000, cleanSince);
    });

    it('a restart neither rewrites a report nor changes the time since which the namespace is clean', async () => {
      const [{ metadata }] = await reports(OPEN_REPORTS);
      await cluster.operator.stop();
      await template('fine-too', restrictedPod());
      await cluster.operator.startAndWatch();
      const { metadata: now } = await report(OPEN_REPORTS, 'of two workloads', ({ summary }) => summary.pass === 2);
      assert.equal(now.annotations['capabilitypolicy.dev/clean-since'], cleanSince);
      assert.equal(now.generation, metadata.generation + 1);
    });

    it('are restored when somebody deletes them', async () => {
      const [{ metadata }] = await reports(OPEN_REPORTS);
      await cluster.api.remove(
        `${NAMESPACES}/${namespace}/reports/${metadata.name}`.replace('/api/v1', '/apis/openreports.io/v1alpha1'),
      );
      await report(OPEN_REPORTS, 'made anew', ({ metadata: { uid } }) => uid !== metadata.uid);
    });

    it('when the API of the reports is removed, the operator writes the reports to the other API', async () => {
      await removeReportCrd(cluster.api, OPEN_REPORTS);
      await report(POLICY_REPORTS, 'in the remaining API', ({ summary }) => summary.pass === 2);
    });

    it('are deleted with the policy', async () => {
      await cluster.deletePolicy(policy);
      await eventually('none to be left', async () => (await reports(POLICY_REPORTS)).length === 0);
    });

    it('policies come into force even if there is no API for reports', async () => {
      await removeReportCrd(cluster.api, POLICY_REPORTS);
      policy = await cluster.policy('later', {
        namespaceSelector: { matchLabels: { team: 'policy-reports' } },
        level: 'baseline',
      });
      await cluster.programmed(policy);
      const loud = cluster.operator.log.filter(
        ({ level, message }) => level === 'error' || message.startsWith('reconciling failed'),
      );
      assert.deepEqual(loud, []);
    });
  });
});
