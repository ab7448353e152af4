/**
 * Tests `cappol suggest --cluster --used`, which reads profiles of Kubescape in a cluster, and files about the
 * cluster's pods.
 */
import assert from 'node:assert/strict';
import type { SeenChecks } from '../../analysis/evidence/compare.ts';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { Api } from '../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { applicationProfile, containerProfile, observedUse } from '../evidence/records.ts';
import { cappol, type Ran } from '../support/cappol.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { eventually, installCrd } from '../support/harness.ts';

const NAMESPACE = 'evidence-live';
const GROUP = 'spdx.softwarecomposition.kubescape.io';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const LABELS = { app: 'pinger' };
const POD_SPEC = { containers: [{ name: 'ping', image: 'ping' }] };

/**
 * A CRD for one of Kubescape's kinds of objects. Kubescape serves this kind with its own API server. In the test, this
 * CRD serves objects of the same form.
 */
function crd(kind: string) {
  const plural = `${kind.toLowerCase()}s`;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { kind, plural, listKind: `${kind}List`, singular: kind.toLowerCase() },
      scope: 'Namespaced',
      versions: [{ name: 'v1beta1', served: true, storage: true, schema }],
    },
  };
}

describe('cappol with evidence of a cluster', () => {
  let controlPlane: ControlPlane;
  let api: Api;

  const pathOf = (kind: string) => `/apis/${GROUP}/v1beta1/namespaces/${NAMESPACE}/${kind.toLowerCase()}s`;

  async function install(kind: string): Promise<void> {
    const object = crd(kind);
    await api.apply(`${CRDS}/${object.metadata.name}`, object);
    await eventually(`${kind} to be served`, async () => (await api.ask('GET', pathOf(kind))).status === 200);
  }

  async function put(profile: Readonly<Record<string, unknown>>): Promise<void> {
    const { kind, metadata } = profile as { kind: string; metadata: { name: string; labels: object } };
    const labels = { ...metadata.labels, 'kubescape.io/workload-namespace': NAMESPACE };
    const { creationTimestamp: _, ...kept } = { creationTimestamp: '', ...metadata };
    const object = { ...profile, metadata: { ...kept, labels, namespace: NAMESPACE } };
    await api.apply(`${pathOf(kind)}/${metadata.name}`, object);
  }

  async function suggested(used: readonly string[], stdin = ''): Promise<Ran> {
    const args = ['suggest', '--cluster', '-n', NAMESPACE, '-o', 'json', '--kubeconfig', controlPlane.kubeconfig];
    return cappol([...args, '--used', ...used], stdin);
  }

  function usedIn({ stdout }: Ran): string[] {
    const { evidence } = JSON.parse(stdout);
    const [{ workload, containers }] = evidence;
    assert.deepEqual(workload, { kind: 'Deployment', namespace: NAMESPACE, name: 'pinger' });
    return containers[0].evidence?.used.map(({ capability }: SeenChecks) => capability);
  }

  before(async () => {
    controlPlane = await sharedControlPlane();
    api = new Api(controlPlane.kubeconfig);
    await installCrd(api);
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
    await api.apply(`/api/v1/namespaces/${NAMESPACE}`, namespace);
    const account = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/default`;
    await eventually('the service account that pods need', async () => (await api.find(account)) !== undefined);
    await api.apply(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/pinger`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'pinger' },
      spec: {
        replicas: 0,
        selector: { matchLabels: LABELS },
        template: { metadata: { labels: LABELS }, spec: POD_SPEC },
      },
    });
  });

  after(async () => {
    for (const kind of ['ApplicationProfile', 'ContainerProfile'])
      await api.remove(`${CRDS}/${crd(kind).metadata.name}`);
    await api.remove(`/api/v1/namespaces/${NAMESPACE}`);
    await api.close();
  });

  it('cappol says that the cluster has no profiles', async () => {
    const { code, stderr } = await suggested([]);
    assert.deepEqual(
      [code, stderr],
      [2, 'cappol: the cluster has no profiles of Kubescape: name files with evidence after --used\n'],
    );
  });

  it('reads ApplicationProfiles', async () => {
    await install('ApplicationProfile');
    await put(applicationProfile());
    const ran = await suggested([]);
    assert.equal(ran.stderr, '');
    assert.equal(ran.code, 0);
    assert.deepEqual(usedIn(ran), ['NET_RAW']);
  });

  it('cappol prefers ContainerProfiles, which newer releases write, and leaves out profiles that users wrote', async () => {
    await install('ContainerProfile');
    await put(containerProfile({ spec: { capabilities: ['CHOWN', 'KILL'] } }));
    const own = containerProfile({
      annotations: { 'kubescape.io/managed-by': 'User' },
      spec: { capabilities: ['SETUID'] },
    });
    await put({ ...own, metadata: { ...(own.metadata as object), name: 'by-a-user' } });
    const ran = await suggested([]);
    assert.match(ran.stderr, /^cappol: ContainerProfile evidence-live\/by-a-user: warning: a user wrote this profile/);
    assert.equal(ran.code, 0);
    assert.deepEqual(usedIn(ran), ['CHOWN', 'KILL']);
  });

  it('shows them beside what runs: explain --cluster', async () => {
    const args = ['explain', '--cluster', '-n', NAMESPACE, '--used', '--kubeconfig', controlPlane.kubeconfig];
    const { code, stdout } = await cappol([...args, '-o', 'json']);
    assert.equal(code, 0);
    const [{ kind, name, file, containers }, ...others] = JSON.parse(stdout).items;
    assert.deepEqual([kind, name, file, others], ['Deployment', 'pinger', null, []]);
    assert.deepEqual(
      containers[0].evidence.used.map(({ capability }: SeenChecks) => capability),
      ['CHOWN', 'KILL'],
    );
    const text = (await cappol(args)).stdout;
    assert.match(text, /^Deployment evidence-live\/pinger, container "ping"$/m);
    assert.match(text, /^used +CHOWN +1 /m);
  });

  it('writes them into a snapshot', async () => {
    const { code, stdout } = await cappol(['snapshot', '--used', '--kubeconfig', controlPlane.kubeconfig]);
    assert.equal(code, 0);
    const { namespaces } = JSON.parse(stdout) as Snapshot;
    assert.deepEqual(
      namespaces.filter(({ used }) => used).map(({ name, used }) => [name, used]),
      [[NAMESPACE, [{ kind: 'Deployment', name: 'pinger', container: 'ping', used: ['CHOWN', 'KILL'] }]]],
    );
  });

  it('if a record cannot be read, snapshot writes the rest and ends with exit code 2', async () => {
    const args = ['snapshot', '--used', '-', '--kubeconfig', controlPlane.kubeconfig];
    const { code, stdout, stderr } = await cappol(args, '{"kind": "Nothing"\n');
    assert.match(stderr, /^cappol: standard input:1: /m);
    assert.ok((JSON.parse(stdout) as Snapshot).namespaces.length > 0);
    assert.equal(code, 2);
  });

  it('cappol finds the workload of a recorded pod by the owner of the pod', async () => {
    const deployment = await api.get(`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/pinger`);
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'pinger', uid: deployment.metadata.uid };
    await api.apply(`/api/v1/namespaces/${NAMESPACE}/pods/a-name-that-tells-nothing`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'a-name-that-tells-nothing',
        labels: LABELS,
        ownerReferences: [{ ...owner, controller: true }],
      },
      spec: POD_SPEC,
    });
    const record = observedUse({ namespace: NAMESPACE, pod: 'a-name-that-tells-nothing', capability: 'SETGID' });
    assert.deepEqual(usedIn(await suggested(['-'], `${JSON.stringify(record)}\n`)), ['SETGID']);
  });
});
