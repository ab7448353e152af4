/**
 * Tests status, report, snapshot and ui on an API server without the CRD. All four commands show the cluster before
 * anything is installed.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Ajv } from 'ajv';
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import { writePage } from '../../config/release/page.ts';
import { Api, type Json } from '../../hack/controlplane/api.ts';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { cappol, type Ran } from '../support/cappol.ts';
import { ROOT } from '../support/page.ts';
import { baselinePod, privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { UiClient } from './ui-client.ts';

const SCHEMA = JSON.parse(readFileSync(join(ROOT, 'docs', 'reference', 'snapshot.schema.json'), 'utf8')) as object;
const CRD_FILE = join(ROOT, 'crds', 'capabilitypolicies.yaml');
const CRD_PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/capabilitypolicies.capabilitypolicy.dev';
const NAMESPACES = '/api/v1/namespaces';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

describe('cappol, in a cluster without CapabilityPolicy', function () {
  this.timeout(300_000);
  let controlPlane: ControlPlane;
  let api: Api;
  let folder: string;
  let viewer: string;

  before(async () => {
    await writePage();
    folder = mkdtempSync(join(tmpdir(), 'cappol-not-installed-'));
    controlPlane = await startControlPlane({ quiet: true });
    api = new Api(controlPlane.kubeconfig);
    await api.apply(`${NAMESPACES}/shop`, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
    });
    await deploy('shop', 'strict', restrictedPod());
    await deploy('shop', 'plain', baselinePod());
    await deploy('shop', 'root', privilegedPod());
    await deploy('default', 'time', restrictedPod({ add: ['SYS_TIME'] }));
    viewer = controlPlane.kubeconfigFor('viewer');
    await api.apply(`${RBAC}/clusterrolebindings/viewer`, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'viewer' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'viewer' }],
    });
  });
  after(async () => {
    await controlPlane?.stop();
    rmSync(folder, { recursive: true });
  });

  async function deploy(namespace: string, name: string, pod: Json): Promise<void> {
    const labels = { app: name };
    await api.apply(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod.spec } },
    });
  }

  const run = (args: readonly string[], kubeconfig = controlPlane.kubeconfig): Promise<Ran> =>
    cappol([...args, '--kubeconfig', kubeconfig], '', folder);

  /** The workloads that each level would refuse, by namespace. */
  const REFUSED = {
    baseline: ['default/time', 'shop/root'],
    restricted: ['default/time', 'shop/plain', 'shop/root'],
  };

  function refusedIn(snapshot: Snapshot): Record<string, string[]> {
    const refused: Record<string, string[]> = { baseline: [], restricted: [] };
    for (const { name: namespace, verdicts } of snapshot.namespaces)
      for (const { name, violations } of verdicts)
        for (const level of Object.keys(violations ?? {})) refused[level]?.push(`${namespace}/${name}`);
    return refused;
  }

  it('with the role view, status says who holds which capability, and what each level would refuse', async () => {
    const { code, stdout, stderr } = await run(['status', '-A'], viewer);
    assert.deepEqual([code, stderr], [0, ''], stdout);
    assert.match(stdout, /^CapabilityPolicy is not installed in this cluster/);
    assert.match(stdout, /^baseline +2 +4 +2 +0$/m);
    assert.match(stdout, /^restricted +2 +4 +3 +0$/m);
    assert.match(stdout, /^shop +3 +1 +2 +privileged$/m);
    assert.match(stdout, /^default +1 +1 +1 +-$/m);
    assert.match(stdout, /^all \(privileged\) +1 +shop\/Deployment root$/m);
    assert.match(stdout, /^SYS_TIME +1 +default\/Deployment time$/m);
    assert.match(stdout, /^default +Deployment time .*baseline, restricted .*SYS_TIME/m);
    assert.doesNotMatch(stdout, /kube-system\/|apply crds/);
  });

  it('status prints the same content as JSON, and the content of one namespace', async () => {
    const { code, stdout } = await run(['status', '-A', '-o', 'json']);
    const seen = JSON.parse(stdout);
    assert.deepEqual([code, seen.installed, seen.policies], [0, false, []]);
    const refused = seen.levels.map(({ level, violations }: Json) => {
      const names = new Set(violations.map(({ namespace, name }: Json) => `${namespace}/${name}`));
      return [level, [...names].sort()];
    });
    assert.deepEqual(Object.fromEntries(refused), REFUSED);
    const one = JSON.parse((await run(['status', '-n', 'default', '-o', 'json'])).stdout);
    assert.deepEqual(
      one.namespaces.map(({ name }: Json) => name),
      ['default'],
    );
    const none = await run(['status', 'strict']);
    assert.deepEqual([none.code, none.stdout], [2, '']);
    assert.match(none.stderr, /no policy "strict": CapabilityPolicy is not installed/);
  });

  it('with the role view, explain NAME says who holds NAME, and that no policy admits NAME', async () => {
    const { code, stdout, stderr } = await run(['explain', 'SYS_TIME', '--cluster', '-A'], viewer);
    assert.deepEqual([code, stderr], [0, ''], stdout);
    assert.match(
      stdout,
      /^CapabilityPolicy is not installed in this cluster, so no policy admits or refuses anything\.$/m,
    );
    assert.match(stdout, /^default +Deployment time +main +0 +added +baseline +open +- +- +-$/m);
    assert.match(stdout, /^shop +Deployment root +main +0 +privileged +baseline +open +- +- +-$/m);
    const { installed, topics } = JSON.parse(
      (await run(['explain', 'SYS_TIME', '--cluster', '-A', '-o', 'json'])).stdout,
    );
    assert.equal(installed, false);
    for (const { admission, policies } of topics[0].found) assert.deepEqual([admission, policies], ['NoPolicy', []]);
    const csv = await run(['explain', 'SYS_TIME', '--cluster', '-A', '-o', 'csv']);
    assert.match(csv.stderr, /^cappol: CapabilityPolicy is not installed in this cluster, so no policy admits/);
  });

  it('with the role view, status -o compliance has no excepted workload', async () => {
    const { code, stdout, stderr } = await run(['status', '-A', '-o', 'compliance-json'], viewer);
    assert.deepEqual([code, stderr], [0, ''], stdout);
    const { installed, namespaces, workloads, controls, exceptions } = JSON.parse(stdout);
    assert.deepEqual([installed, namespaces, workloads, exceptions], [false, ['default', 'shop'], 4, []]);
    const failedBy = (id: string) =>
      controls.find((one: Json) => one.id === id).failed.map(({ namespace, name }: Json) => `${namespace}/${name}`);
    assert.deepEqual(failedBy('5.2.2'), ['shop/root']);
    assert.deepEqual(failedBy('5.2.9'), ['default/time', 'shop/plain', 'shop/root']);
    assert.ok(controls.every(({ excepted }: Json) => excepted.length === 0));
    const text = await run(['status', '-n', 'default', '-o', 'compliance'], viewer);
    assert.match(text.stdout, /^1 workload in namespace default, by the recommendations of CIS Kubernetes Benchmark v/);
  });

  it('snapshot has the verdicts of both levels, in the form of the schema', async () => {
    const { code, stdout, stderr } = await run(['snapshot'], viewer);
    assert.deepEqual([code, stderr], [0, '']);
    const snapshot: Snapshot = JSON.parse(stdout);
    const isDocumented = new Ajv({ strict: false }).compile(SCHEMA);
    assert.ok(isDocumented(snapshot), JSON.stringify(isDocumented.errors?.[0]));
    assert.equal(snapshot.installed, false);
    assert.deepEqual(refusedIn(snapshot), REFUSED);
  });

  it('report writes the page with the same', async () => {
    const { code, stderr } = await run(['report', '--html', 'out.html']);
    assert.deepEqual([code, stderr], [0, '']);
    const html = readFileSync(join(folder, 'out.html'), 'utf8');
    const [, data = ''] = /<script type="application\/gzip"[^>]*>([^<]*)</.exec(html) ?? [];
    const snapshot: Snapshot = JSON.parse(gunzipSync(Buffer.from(data, 'base64')).toString());
    assert.equal(snapshot.installed, false);
    assert.deepEqual(refusedIn(snapshot), REFUSED);
  });

  it('names each right that is missing', async () => {
    const { code, stderr } = await run(['status', '-A'], controlPlane.kubeconfigFor('stranger'));
    assert.equal(code, 2);
    assert.match(stderr, /^cappol: you may not list namespaces, pods, .*: nothing is evaluated/);
    assert.doesNotMatch(stderr, /capabilitypolicies|roles/);
    const summary = await run(['status', '-A', '-o', 'compliance'], controlPlane.kubeconfigFor('stranger'));
    assert.deepEqual([summary.code, summary.stdout, summary.stderr], [2, '', stderr]);
  });

  it('ui shows the same content as status, and also shows the policies when the CRD is installed', async () => {
    const program = spawn(
      process.execPath,
      [join(ROOT, 'cli', 'main.ts'), 'ui', '--kubeconfig', controlPlane.kubeconfig],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      const page = await UiClient.open(await linkOf(program));
      const shown = () => page.state.clusters().shown[0]?.snapshot;
      const snapshot = await waitFor('the snapshot', shown, { timeoutMs: 60_000 });
      assert.equal(snapshot.installed, false);
      assert.deepEqual(refusedIn(snapshot), REFUSED);
      await api.apply(CRD_PATH, readFileSync(CRD_FILE, 'utf8'));
      const installed = await waitFor(
        'the page to see the CRD',
        () => {
          const now = shown();
          return now && now.installed !== false ? now : undefined;
        },
        { timeoutMs: 120_000 },
      );
      assert.deepEqual(installed.policies, []);
      page.close();
    } finally {
      program.kill('SIGKILL');
    }
  });

  function linkOf({ stdout }: ChildProcess): Promise<string> {
    let text = '';
    stdout?.on('data', (chunk) => {
      text += chunk;
    });
    return waitFor('the link', () => /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/.exec(text)?.[0], {
      timeoutMs: 60_000,
    });
  }
});
