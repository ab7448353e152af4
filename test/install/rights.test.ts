/**
 * Tests that the operator's rights are minimal. The operator works with all of its rights, and reports a failure if any
 * right is missing.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { freePorts } from '../../hack/controlplane/ports.ts';
import { COLLECTIONS, renderedObjects } from '../../hack/controlplane/rendered.ts';
import { Audit } from '../support/audit.ts';
import { deployment, newToken, operatorFlags, scrape } from '../support/deployment.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { baselinePod } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { installReportCrd, OPEN_REPORTS, POLICY_REPORTS } from '../support/report-crds.ts';
import { CONFIG, OPERATOR_USER, operatorRoles } from '../support/rights.ts';
import { LEASE, prepare, provoke, type Stage } from './provocations.ts';
import { isRead, operatorRights, type Right, titleOf, without } from './single-rights.ts';

describe("the operator's rights", () => {
  const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-rights-'));
  const audit = new Audit(folder, { users: [OPERATOR_USER] });
  let controlPlane: ControlPlane;
  let metricsPort = 0;
  const args: string[] = [];
  const cluster = useCluster('rights', { controlPlane: start, args });
  let stage: Stage;

  async function start(): Promise<ControlPlane> {
    const [health = 0, metrics = 0] = await freePorts(2);
    metricsPort = metrics;
    args.push(...operatorFlags({ health, metrics }, deployment()), '--leader-elect-retry-period=500ms');
    controlPlane = await startControlPlane({
      quiet: true,
      apiServerFlags: [
        ...audit.flags,
        '--enable-admission-plugins=OwnerReferencesPermissionEnforcement',
        // The operator needs the verb `list` for API servers before 1.34. API servers before 1.34 have no streaming
        // lists.
        '--feature-gates=WatchList=false',
      ],
    });
    return controlPlane;
  }

  before(async function () {
    this.timeout(300_000);
    for (const crd of [OPEN_REPORTS, POLICY_REPORTS]) await installReportCrd(cluster.api, crd);
    const namespace = await cluster.namespace('team', { team: 'rights' });
    await cluster.api.create(`${NAMESPACES}/${namespace}/pods`, baselinePod());
    const policy = await cluster.policy('it', {
      namespaceSelector: { matchLabels: { team: 'rights' } },
      level: 'restricted',
      mode: 'Enforce',
      defaulting: 'Enabled',
      usableBy: 'Subjects',
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace }],
    });
    await cluster.programmed(policy);
    await cluster.settled();
    const ask = async () => scrape(metricsPort, await newToken(cluster.api, namespace, 'prometheus'));
    stage = { cluster, policy, namespace, scrape: ask };
  });

  after(async () => {
    await controlPlane?.stop();
    rmSync(folder, { recursive: true });
  });

  it('the roles grant no wildcard, no way to get more rights, and no secrets', () => {
    const rules = operatorRoles().flatMap((role) => role.rules ?? []);
    const granted = rules.flatMap(({ verbs, apiGroups = [], resources = [], nonResourceURLs = [] }) => [
      ...[verbs, apiGroups, resources, nonResourceURLs].flat(),
    ]);
    for (const never of ['*', 'escalate', 'bind', 'secrets', 'serviceaccounts/token']) {
      assert.ok(!granted.includes(never), never);
    }
    // The verbs of constrained impersonation (KEP-5284) begin with the word `impersonate`, too.
    assert.deepEqual(
      granted.filter((name) => name.startsWith('impersonate')),
      [],
    );
  });

  it('have a reason each, above them', () => {
    for (const file of ['role.yaml', 'namespaced_roles.yaml', 'metrics_auth_role.yaml']) {
      const lines = readFileSync(join(CONFIG, 'rbac', file), 'utf8').split('\n');
      const rules = lines.flatMap((line, index) => (/^ {2}- (apiGroups|nonResourceURLs):/.test(line) ? [index] : []));
      assert.ok(rules.length > 0);
      for (const rule of rules) assert.match(lines[rule - 1] ?? '', /^ {2}# \S/, `${file}:${rule + 1}`);
    }
  });

  it('are enough for all that it does', async () => {
    const { api } = cluster;
    const others = await Promise.all(
      (['Warn', 'Audit'] as const).map((mode) =>
        cluster.policy(mode.toLowerCase(), { namespaceSelector: {}, level: 'baseline', mode }),
      ),
    );
    await cluster.programmed(...others);
    for (const name of others) await api.remove(`${POLICIES}/${name}`, 'Orphan');
    await cluster.settled();
    assert.match((await stage.scrape()) ?? '', /^capabilitypolicy_programmed\b/m);
    const refused = audit.events().filter(({ responseStatus }) => responseStatus?.code === 403);
    // Refused dry runs of ClusterRoles do not count. Dry runs of ClusterRoles are probes. A program refuses the probes
    // because of their content.
    const asked = refused.filter(({ requestURI }) => !/\/clusterroles\?.*dryRun=All/.test(requestURI));
    assert.deepEqual(
      asked.map(({ verb, requestURI }) => `${verb} ${requestURI}`),
      [],
    );
  });

  describe('the operator needs each right, and reports what it cannot do without the right:', () => {
    for (const right of operatorRights()) {
      it(titleOf(right), async function () {
        this.timeout(300_000);
        await prepare(stage, right);
        await without(cluster.api, right, () => provoke(stage, right));
        if (!isRead(right)) await recover(right);
      });
    }
  });

  async function recover({ resource }: Right): Promise<void> {
    const { api, operator } = cluster;
    const since = Date.now();
    if (!operator.running) await operator.startAndWatch();
    if (resource === 'leases') {
      await eventually(
        'the Lease to be renewed',
        async () => Date.parse((await api.find(LEASE))?.spec.renewTime) > since,
      );
    }
    // The operator repeats a refused write after a while, or when a rendered object changes.
    const [{ kind, metadata }] = await renderedObjects(api, stage.policy);
    await api.patch(`${COLLECTIONS[kind]}/${metadata.name}`, {
      metadata: { annotations: { touched: String(performance.now()) } },
    });
    await cluster.settled();
  }
});
