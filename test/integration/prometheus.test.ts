/** A real Prometheus scrapes a real operator. Tests the dashboard's queries, the alerts, and the runbook's commands. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Json } from '../../hack/controlplane/api.ts';
import { freePorts } from '../../hack/controlplane/ports.ts';
import { Tools } from '../../hack/tools.ts';
import { alerts, dashboard, queries, ruleFile, selectorsIn } from '../observability/dashboard.ts';
import { type FiringAlert, Prometheus, type Series } from '../observability/prometheus.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { describeWith } from '../support/needs.ts';
import { documentedBlocks, readPage } from '../support/page.ts';
import { baselinePod, restrictedPod } from '../support/pod-manifests.ts';
import { installPublishedCrd, type PublishedCrd, removePublishedCrd } from '../support/published-crds.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { CONFIG, manifestsIn } from '../support/rights.ts';

const MONITORING: readonly PublishedCrd[] = ['servicemonitors', 'prometheusrules'].map((plural) => ({
  name: `${plural}.monitoring.coreos.com`,
  file: `monitoring.coreos.com_${plural}.yaml`,
  path: `/apis/monitoring.coreos.com/v1/namespaces/capabilitypolicy-system/${plural}`,
}));
const KINDS: Readonly<Record<string, number>> = { ServiceMonitor: 0, PrometheusRule: 1 };

const [port] = await freePorts(1);
const LABEL = 'pod-security.kubernetes.io/warn';
const ADDRESS = `127.0.0.1:${port}`;
/**
 * The sections of the runbook. Each section has a list with one item for each block of the section. In this test, the
 * output of a block must match all patterns of the block's item.
 */
const SHOWN: Readonly<Record<string, readonly (readonly RegExp[])[]>> = {
  // In this test, the operator runs outside the cluster. Therefore no pod has the operator's log.
  'Set up': [[/capabilitypolicy-metrics-reader created/], []],
  CapabilityPolicyNotProgrammed: [[/^prometheus-refused +VersionTooNew +spec\.levelVersion: /m]],
  CapabilityPolicyViolationsRising: [
    [/^prometheus-warn .* 1 +True /m, /Warning +WorkloadViolates +pod\/bad /],
    [/^prometheus-team\/Pod\/bad: capabilities: container "/m],
  ],
  CapabilityPolicyLabelConflict: [
    [
      /^prometheus-warn +namespace prometheus-team: label \S+warn is "privileged" by test/m,
      /ForeignLabel +namespace\//,
    ],
  ],
  // In this test, the API server refuses no label.
  CapabilityPolicyLabelRefused: [[/^prometheus-warn +<none>$/m]],
  CapabilityPolicyExpiresSoon: [[/^prometheus-ends .*\n[\s\S]*^prometheus-ends: \S/m]],
  CapabilityPolicyRolloutStalled: [
    [/^prometheus-slow\t20\S+Z\tPod bad: capabilities: container "/m],
    [/Warning +WorkloadViolates +pod\/bad /],
  ],
  CapabilityPolicyNoLeader: [[/^capabilitypolicy\.dev +\S+ +20\S+Z$/m]],
  CapabilityPolicyReflectorStale: [[/^readyz check passed$/m, /^yes$/m]],
};
/** The values that Grafana inserts for the dashboard's variables. */
const CHOSEN: Readonly<Record<string, string>> = { job: '.*', policy: '.*', __rate_interval: '15s' };

describeWith(
  { programs: { prometheus: 'apt-get install prometheus', promtool: 'apt-get install prometheus' } },
  'Prometheus',
  () => {
    // The labels must be removed before the clean-up of the test cluster. The clean-up would mistake the labels for
    // labels that the operator forgot.
    after(async () => {
      await prometheus?.stop();
      if (namespace) await cluster.api.patch(`${NAMESPACES}/${namespace}`, { metadata: { labels: { [LABEL]: null } } });
    });

    const cluster = useCluster('prometheus', { args: ['--leader-elect', '--metrics-bind-address', ADDRESS] });
    let prometheus: Prometheus;
    let namespace: string | undefined;
    let policy: string;
    let refused: string;

    before(async () => {
      const labels = { job: 'capabilitypolicy-metrics', namespace: 'capabilitypolicy-system', pod: 'operator-0' };
      prometheus = await Prometheus.start({ scrapes: ADDRESS, rules: ruleFile(), labels });
      const team = await cluster.namespace('team', { team: 'prometheus', [LABEL]: 'privileged' });
      namespace = team;
      const namespaceSelector = { matchLabels: { team: 'prometheus' } };
      policy = await cluster.policy('warn', { namespaceSelector, level: 'restricted', mode: 'Warn' });
      refused = await cluster.policy('refused', { namespaceSelector, level: 'restricted', levelVersion: 'v1.99' });
      for (const [name, pod] of Object.entries({ fine: restrictedPod(), bad: baselinePod() })) {
        await cluster.api.create(`${NAMESPACES}/${team}/pods`, { ...pod, metadata: { name } });
      }
      await rollout();
      await expire();
      await cluster.programmed(policy);
      await finds(`capabilitypolicy_workloads{policy="${policy}",verdict="violating"} == 1`);
      // A new alert immediately has the state pending.
      await finds('count(capabilitypolicy_programmed == 1) == 3');
      await finds(`absent(ALERTS{alertname="CapabilityPolicyNotProgrammed", policy!="${refused}"})`);
    });

    /** Creates a rollout that is blocked by a pod. */
    async function rollout(): Promise<void> {
      const slow = await cluster.namespace('slow', { team: 'prometheus-rollout' });
      await cluster.api.create(`${NAMESPACES}/${slow}/pods`, { ...baselinePod(), metadata: { name: 'bad' } });
      const rolledOut = await cluster.policy('rollout', {
        namespaceSelector: { matchLabels: { team: 'prometheus-rollout' } },
        level: 'restricted',
        mode: 'Enforce',
        rollout: {},
        // No pod adds SYS_TIME. The grant is therefore unused.
        overrides: { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'SYS_TIME'] } },
      });
      await finds(`capabilitypolicy_rollout_namespaces{policy="${rolledOut}",state="blocked"} == 1`);
    }

    /**
     * Creates a policy that expires late. The policy expires so late that the alert about expiring policies does not
     * fire.
     */
    async function expire(): Promise<void> {
      const expires = new Date(Date.now() + 30 * 86_400_000).toISOString().replace(/\.\d+Z$/, 'Z');
      const none = { matchLabels: { team: 'none' } };
      await cluster.policy('ends', { namespaceSelector: none, level: 'restricted', expires: expires as never });
    }

    /** Waits until a query has a result. */
    async function finds(query: string): Promise<readonly Series[]> {
      return eventually(
        `${query} to find something`,
        async () => {
          const found = await prometheus.query(query);
          return found.length > 0 && found;
        },
        30_000,
      );
    }

    async function alertOf(name: string, labels: Readonly<Record<string, string>> = {}): Promise<FiringAlert> {
      return eventually(
        `the alert ${name}`,
        async () => {
          const found = (await prometheus.alerts()).filter(({ labels: { alertname } }) => alertname === name);
          return found.find((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value));
        },
        30_000,
      );
    }

    it('promtool accepts the names and help texts of the metrics', async () => {
      const input = await (await fetch(`http://${ADDRESS}/metrics`)).text();
      const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
      assert.ok(status === 0 || status === 3, stderr);
      const problems = stderr.split('\n').filter((line) => line.startsWith('capabilitypolicy_'));
      assert.deepEqual(problems, []);
    });

    describe('answers each query of the dashboard:', () => {
      for (const { panel, target } of queries()) {
        it(`${panel.title}, ${target.refId}`, async () => {
          const found = await finds(target.expr.replaceAll(/\$\{?(\w+)\}?/g, (_, name: string) => CHOSEN[name] ?? ''));
          for (const [, label = ''] of target.legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
            for (const { metric } of found) assert.ok(metric[label], `${label} of ${JSON.stringify(metric)}`);
          }
        });
      }

      it('and each variable', async () => {
        const asked = dashboard().templating.list.flatMap(({ definition }) => definition ?? []);
        assert.ok(asked.length > 0);
        for (const query of asked) {
          const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(query) ?? assert.fail(query);
          for (const found of await finds(`count by (${label}) (${metric})`)) assert.ok(found.metric[label ?? '']);
        }
      });
    });

    describe('knows every metric of the alerts:', () => {
      for (const { alert, expr } of alerts()) {
        it(alert, async () => {
          const selectors = selectorsIn(expr);
          assert.ok(selectors.length > 0);
          const labels = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
          for (const selector of selectors) {
            const [series] = await finds(selector);
            for (const label of labels) assert.ok(series?.metric[label], `${label} of ${selector}`);
          }
        });
      }
    });

    it('alerts fire only for a policy that is not in force, and for a label conflict', async () => {
      const programmed = await alertOf('CapabilityPolicyNotProgrammed', { policy: refused });
      assert.equal(
        programmed.annotations.summary,
        `The current text of CapabilityPolicy "${refused}" is not in force.`,
      );
      const conflict = await alertOf('CapabilityPolicyLabelConflict', { policy });
      assert.match(conflict.annotations.description ?? '', /^In 1 namespaces of /);
      const found = await prometheus.alerts();
      assert.deepEqual(found.map(({ labels }) => `${labels.alertname} ${labels.policy}`).sort(), [
        `CapabilityPolicyLabelConflict ${policy}`,
        `CapabilityPolicyNotProgrammed ${refused}`,
      ]);
      const rules = await prometheus.rules();
      assert.deepEqual(
        rules.map(({ health, lastError = '' }) => `${health}${lastError}`),
        alerts().map(() => 'ok'),
      );
    });

    describe('after the alerts, the commands of the runbook show the problem:', () => {
      let tools: Tools;

      before(async () => {
        tools = await Tools.find(cluster.controlPlane.kubeconfig);
      });

      after(async () => {
        const bindings = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
        await cluster.api.remove(`${bindings}/capabilitypolicy-metrics-reader`);
        tools.end();
      });

      for (const [section, shown] of Object.entries(SHOWN)) {
        it(section, async () => {
          const blocks = documentedBlocks('docs/runbook.md', section);
          assert.equal(blocks.length, shown.length);
          for (const [i, block] of blocks.entries()) {
            const { stdout } = await tools.shell(block);
            for (const text of shown[i] ?? []) assert.match(stdout, text);
          }
        });
      }

      it('all of them', () => {
        const sections = readPage('docs/runbook.md').blocks.filter(({ info }) => info[0] === 'sh');
        assert.deepEqual([...new Set(sections.map(({ section }) => section))], Object.keys(SHOWN));
      });
    });

    describe('the Prometheus Operator accepts each manifest, without unknown fields:', () => {
      before(async () => {
        for (const crd of MONITORING) await installPublishedCrd(cluster.api, crd);
      });

      after(async () => {
        for (const crd of MONITORING) await removePublishedCrd(cluster.api, crd);
      });

      const manifests = manifestsIn(join(CONFIG, 'prometheus')) as Json[];
      for (const manifest of manifests.filter(({ kind }) => kind in KINDS)) {
        it(`the ${manifest.kind}`, async () => {
          const query = { dryRun: 'All', fieldValidation: 'Strict' };
          const path = MONITORING[KINDS[manifest.kind] ?? -1]?.path ?? '';
          const answer = await cluster.api.ask('POST', path, { body: manifest, query });
          assert.equal(answer.status, 201, answer.body.message);
        });
      }
    });

    describe('in the end', () => {
      it('an alert fires when the operator is stopped and nobody leads', async () => {
        await cluster.operator.stop();
        const { labels } = await alertOf('CapabilityPolicyNoLeader');
        assert.equal(labels.severity, 'critical');
      });
    });
  },
);
