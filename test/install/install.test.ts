/** Installs the operator on an empty cluster as documented, and uninstalls the operator as documented. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { Api, type Json } from '../../hack/controlplane/api.ts';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { freePorts } from '../../hack/controlplane/ports.ts';
import { Tools } from '../../hack/tools.ts';
import { type Deployment, nodeFlags, operatorFlags } from '../support/deployment.ts';
import { ADMITTED, eventually } from '../support/harness.ts';
import { accountKubeconfig } from '../support/installed.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { documentedBlocks } from '../support/page.ts';
import { baselinePod, podManifest } from '../support/pod-manifests.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { installReportCrd, OPEN_REPORTS } from '../support/report-crds.ts';
import { CONFIG, OPERATOR_ACCOUNT, OPERATOR_NAMESPACE } from '../support/rights.ts';
import { snapshot } from './snapshot.ts';

const DEPLOYMENT = `/apis/apps/v1/namespaces/${OPERATOR_NAMESPACE}/deployments/${OPERATOR_ACCOUNT}`;
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/capabilitypolicies.capabilitypolicy.dev';
const RELEASE = ['capabilitypolicy', 'config/helm/capabilitypolicy', '--namespace', OPERATOR_NAMESPACE];
const SAMPLES = ['ping', 'restricted', 'audit-everything'];
/** A policy with a rollout. The namespaces where the policy is pending have the label of the rollout. */
const ROLLED_OUT = {
  apiVersion: 'capabilitypolicy.dev/v1alpha1',
  kind: 'CapabilityPolicy',
  metadata: { name: 'rolled-out' },
  spec: { namespaceSelector: {}, level: 'baseline', mode: 'Enforce', rollout: { soak: '24h' } },
};
const TEAM = 'shop';

describe('an installation', () => {
  const [withKubectl = '', withHelm = ''] = documentedBlocks('docs/operations.md', 'Install');
  const [upgrade = ''] = documentedBlocks('docs/operations.md', 'Upgrade');
  const [purge = '', deleteWithKubectl = '', deleteWithHelm = ''] = documentedBlocks('docs/operations.md', 'Uninstall');
  let controlPlane: ControlPlane;
  let api: Api;
  let tools: Tools;
  let untouched: string[];
  let operator: OperatorProcess | undefined;

  before(async function () {
    this.timeout(300_000);
    controlPlane = await startControlPlane({ quiet: true });
    api = new Api(controlPlane.kubeconfig);
    tools = await Tools.withHelm(controlPlane.kubeconfig);
    await api.create(NAMESPACES, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: TEAM, labels: { environment: 'production' } },
    });
    const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: OPERATOR_ACCOUNT } };
    await api.create(`${NAMESPACES}/${TEAM}/serviceaccounts`, object);
    await eventually('the defaults of the namespace', () =>
      api.find(`${NAMESPACES}/${TEAM}/configmaps/kube-root-ca.crt`),
    );
    // The cluster gets a CRD for reports and a violating pod before the installation. The operator therefore has
    // something to report.
    await installReportCrd(api, OPEN_REPORTS);
    await eventually('the pod that violates', async () => {
      return (await api.ask('POST', `${NAMESPACES}/${TEAM}/pods`, { body: baselinePod() })).status === 201;
    });
    untouched = await snapshot(api);
  });

  after(async () => {
    await operator?.stop();
    await api?.close();
    tools?.end();
    await controlPlane?.stop();
  });

  afterEach(function () {
    if (this.currentTest?.isFailed()) console.log(`the end of the operator's log:\n${operator?.logEnd()}`);
  });

  describe('with kubectl', () => {
    it('one kubectl command installs the operator, without any warning of Pod Security Admission', async () => {
      const { stderr } = await tools.shell(withKubectl);
      assert.equal(stderr, '');
    });

    it('changes nothing when it is repeated', async () => {
      await tools.run('kubectl', 'diff', '-k', 'config/default');
    });

    it('the operator runs as its service account with its flags, and brings policies into force', async () => {
      await runOperator();
      await applySamples();
      await eventually('a report', async () => (await api.list(OPEN_REPORTS.path)).length > 0);
    });

    it('the operator passes Pod Security level restricted, and the sample policy of the level', async () => {
      const { spec } = (await api.get(DEPLOYMENT)).spec.template;
      assert.equal(await admit(spec, OPERATOR_NAMESPACE), ADMITTED);
      assert.equal(await admit(spec, TEAM), ADMITTED);
      const { metadata } = await api.get(`${NAMESPACES}/${OPERATOR_NAMESPACE}`);
      assert.equal(metadata.labels['pod-security.kubernetes.io/enforce'], 'restricted');
      assert.match(await admit((baselinePod() as Json).spec, TEAM), /PodSecurity|CapabilityPolicy restricted/);
    });

    it('the ClusterRole view allows viewing policies and reports, and only the ClusterRole capabilitypolicy-editor allows writing policies', async () => {
      const policies = { group: 'capabilitypolicy.dev', resource: 'capabilitypolicies' };
      const reports = { group: 'openreports.io', resource: 'reports', namespace: TEAM };
      const may: [role: string, verb: string, what: object, allowed: boolean][] = [
        ['view', 'list', policies, true],
        ['view', 'get', reports, true],
        ['view', 'use', policies, false],
        ['edit', 'update', policies, false],
        ['admin', 'create', policies, false],
        ['admin', 'delete', policies, false],
        ['admin', 'use', policies, false],
        ['admin', 'exempt', policies, false],
        ['capabilitypolicy-editor', 'create', policies, true],
        ['capabilitypolicy-editor', 'delete', policies, true],
        ['capabilitypolicy-editor', 'use', policies, false],
        ['capabilitypolicy-editor', 'exempt', policies, false],
      ];
      const roles = [...new Set(may.map(([role]) => role))];
      const bindings = roles.map((role) => `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/people-${role}`);
      for (const [index, role] of roles.entries()) await api.apply(bindings[index] ?? '', bindingOf(role));
      await eventually('the roles to be aggregated', () => isAllowed('view', 'get', reports));
      for (const [role, verb, what, allowed] of may) {
        assert.equal(await isAllowed(role, verb, what), allowed, `${role} ${verb} ${JSON.stringify(what)}`);
      }
      for (const binding of bindings) await api.remove(binding);
    });

    it('the documented removal of the operator leaves nothing behind', async () => {
      await tools.shell(purge + deleteWithKubectl);
      await leftNothing();
    });
  });

  describe('with Helm', () => {
    it('is one command', async () => {
      await tools.shell(withHelm);
      await runOperator();
      await applySamples();
    });

    it('is upgraded and rolled back', async () => {
      const flags = async () => operatorFlags({ health: 1, metrics: 2 }, await api.get(DEPLOYMENT));
      const installed = await flags();
      await tools.shell(upgrade);
      assert.deepEqual(await flags(), installed);
      await tools.run('helm', 'upgrade', ...RELEASE, '--set', 'flags.log-level=debug');
      assert.deepEqual(await flags(), [...installed, '--log-level=debug'].sort());
      await runOperator();
      await tools.run('helm', 'rollback', 'capabilitypolicy', '1', '--namespace', OPERATOR_NAMESPACE);
      assert.deepEqual(await flags(), installed);
      await runOperator();
      await ready();
    });

    it('helm uninstall keeps enforcement, and a new installation takes over the enforcement', async () => {
      await tools.run('helm', 'uninstall', 'capabilitypolicy', '--namespace', OPERATOR_NAMESPACE);
      await operator?.stop();
      assert.ok(await api.find(CRD));
      const { labels } = (await api.get(`${NAMESPACES}/${TEAM}`)).metadata;
      assert.equal(labels['pod-security.kubernetes.io/enforce'], 'restricted');
      assert.match(await admit((baselinePod() as Json).spec, TEAM), /PodSecurity|CapabilityPolicy restricted/);
      await tools.run('helm', 'install', ...RELEASE);
      await runOperator();
      await ready();
    });

    it('the documented removal with Helm leaves nothing behind', async () => {
      await tools.shell(purge + deleteWithHelm);
      await leftNothing();
    });
  });

  /**
   * Runs the operator with the Deployment's flags. The cluster has no node, so the operator runs outside the cluster.
   */
  async function runOperator(): Promise<void> {
    await operator?.stop();
    const live: Deployment = await api.get(DEPLOYMENT);
    const [health = 0, metrics = 0] = await freePorts(2);
    const kubeconfig = await accountKubeconfig(controlPlane, api);
    const where = ['--kubeconfig', kubeconfig, '--operator-namespace', OPERATOR_NAMESPACE];
    operator = new OperatorProcess([...where, ...operatorFlags({ health, metrics }, live)], nodeFlags(live));
    await operator.startAndWatch();
  }

  async function applySamples(): Promise<void> {
    for (const name of SAMPLES) {
      const sample = load(readFileSync(join(CONFIG, 'samples', `${name}.yaml`), 'utf8')) as Json;
      await api.apply(`${POLICIES}/${sample.metadata.name}`, sample);
    }
    await api.apply(`${POLICIES}/${ROLLED_OUT.metadata.name}`, ROLLED_OUT);
    await ready();
  }

  async function ready(): Promise<void> {
    await tools.run('kubectl', 'wait', 'capabilitypolicies', '--all', '--for=condition=Ready', '--timeout=120s');
  }

  async function admit(spec: Json, namespace: string): Promise<string> {
    const pod = podManifest({ name: 'operator' }, spec);
    const path = `${NAMESPACES}/${namespace}/pods`;
    const { status, body } = await api.ask('POST', path, { body: pod, query: { dryRun: 'All' } });
    return status === 201 ? ADMITTED : body.message;
  }

  /** Whether a user has the right. The user's group has the name of the role. */
  async function isAllowed(role: string, verb: string, what: object): Promise<boolean> {
    const { status } = await api.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: 'somebody', groups: [role], resourceAttributes: { verb, ...what } },
    });
    return status.allowed;
  }

  async function leftNothing(): Promise<void> {
    await operator?.stop();
    let left: string[] = [];
    const gone = async () => {
      const now = await snapshot(api);
      left = now.filter((trace) => !untouched.includes(trace));
      return left.length === 0;
    };
    await eventually('nothing to be left', gone).catch((error: Error) => {
      throw new Error(`${error.message}:\n${left.join('\n')}`);
    });
    assert.deepEqual(await snapshot(api), untouched);
  }
});

function bindingOf(role: string): object {
  const apiGroup = 'rbac.authorization.k8s.io';
  return {
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: `people-${role}` },
    roleRef: { apiGroup, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup, kind: 'Group', name: role }],
  };
}
