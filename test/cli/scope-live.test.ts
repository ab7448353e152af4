/** Tests which namespaces commands read. All commands have kubectl's flags and kubectl's default for the namespace. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api, type Json } from '../../hack/controlplane/api.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { cappol, type Ran } from '../support/cappol.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { privilegedPod } from '../support/pod-manifests.ts';

const [CURRENT, OTHER, EMPTY] = ['scope-current', 'scope-other', 'scope-empty'] as const;

/**
 * The commands with their arguments. For each command, the list contains the text that the command prints about a
 * namespace without workloads.
 */
const COMMANDS = [
  {
    name: 'check',
    args: ['check', '--cluster', '--level', 'restricted'],
    empty: /^0 workloads in namespace scope-empty /,
  },
  { name: 'status', args: ['status'], empty: /namespace scope-empty/ },
  {
    name: 'suggest',
    args: ['suggest', '--cluster'],
    empty: /^cappol: no pods or workloads in namespace scope-empty: /,
  },
  {
    name: 'explain',
    args: ['explain', '--cluster'],
    empty: /^cappol: no pods or workloads in namespace scope-empty$/m,
  },
  {
    name: 'explain NAME',
    args: ['explain', '--cluster', 'SYS_ADMIN'],
    empty: /^no pods or workloads in namespace scope-empty$/m,
  },
] as const;

describe('the namespaces that cappol reads', function () {
  this.timeout(300_000);
  let controlPlane: ControlPlane;
  let api: Api;
  let folder: string;
  let kubeconfig: string;

  before(async () => {
    controlPlane = await sharedControlPlane();
    api = new Api(controlPlane.kubeconfig);
    folder = mkdtempSync(join(tmpdir(), 'cappol-scope-'));
    const config = JSON.parse(readFileSync(controlPlane.kubeconfig, 'utf8'));
    config.contexts[0].context.namespace = CURRENT;
    kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, JSON.stringify(config));
    for (const name of [CURRENT, OTHER, EMPTY])
      await api.apply(`/api/v1/namespaces/${name}`, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    for (const namespace of [CURRENT, OTHER]) {
      const { spec } = privilegedPod() as Json;
      const labels = { app: namespace };
      await api.apply(`/apis/apps/v1/namespaces/${namespace}/deployments/in-${namespace}`, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: `in-${namespace}` },
        spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
      });
    }
  });
  after(async () => {
    for (const name of [CURRENT, OTHER, EMPTY]) await api.remove(`/api/v1/namespaces/${name}`);
    await api.close();
    rmSync(folder, { recursive: true });
  });

  const run = (...args: readonly string[]): Promise<Ran> => cappol([...args, '--kubeconfig', kubeconfig], '', folder);

  for (const { name, args, empty } of COMMANDS) {
    it(`${name}: the current one of the context, one by -n, all by -A`, async () => {
      const current = await run(...args);
      assert.match(
        current.stderr,
        /^cappol: namespace scope-current, the current namespace of context .*; -A reads all namespaces$/m,
      );
      const one = await run(...args, '-n', OTHER);
      const all = await run(...args, '-A');
      assert.doesNotMatch(one.stderr + all.stderr, /the current namespace/);
      // The command `cappol status` prints nothing about workloads that no policy selects.
      if (name === 'status' && current.stdout.startsWith('There are no')) return;
      for (const [ran, here] of [
        [current, [CURRENT]],
        [one, [OTHER]],
        [all, [CURRENT, OTHER]],
      ] as const) {
        const found = [CURRENT, OTHER].filter((namespace) => ran.stdout.includes(`in-${namespace}`));
        if (name !== 'status' || ran.stdout.includes('is not installed')) assert.deepEqual(found, here, ran.stdout);
      }
    });

    it(`${name}: says where it looked when it found nothing`, async () => {
      const { stdout, stderr } = await run(...args, '-n', EMPTY);
      assert.match(stdout + stderr, empty);
    });

    it(`${name}: refuses -n beside -A`, async () => {
      const { code, stderr } = await run(...args, '-n', OTHER, '-A');
      assert.deepEqual([code, stderr], [2, 'cappol: write either -n or -A\n']);
    });
  }

  it('check --cluster --policy evaluates the current namespace, or all namespaces with -A', async () => {
    const policy =
      'apiVersion: capabilitypolicy.dev/v1alpha1\nkind: CapabilityPolicy\nmetadata: {name: a}\nspec: {namespaceSelector: {}, level: restricted, mode: Enforce}\n';
    const file = join(folder, 'policy.yaml');
    writeFileSync(file, policy);
    const { stdout, stderr } = await run('check', '--cluster', '--policy', file, '-o', 'json');
    assert.match(stderr, /^cappol: namespace scope-current, /);
    const named = JSON.parse(stdout).namespaces.map(({ namespace }: Json) => namespace);
    assert.deepEqual(named, [CURRENT]);
    const all = JSON.parse((await run('check', '--cluster', '-A', '--policy', file, '-o', 'json')).stdout);
    assert.ok(all.namespaces.length > 2);
  });
});
