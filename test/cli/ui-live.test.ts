/** Tests `cappol ui`, `cappol report` and `cappol snapshot` with an API server and a running operator. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { SnapshotVerdict } from '../../analysis/snapshot/document.ts';
import { writePage } from '../../config/release/page.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import type { LiveState } from '../../ui/model/live-state.ts';
import { resolved } from '../snapshot/resolved.ts';
import { cappol } from '../support/cappol.ts';
import { useCluster } from '../support/harness.ts';
import { ROOT } from '../support/page.ts';
import { UiClient } from './ui-client.ts';

/** The longest time in ms from a change in the cluster until the page shows the change. */
const WITHIN_MS = 2_000;

describe('cappol ui, with an API server', () => {
  const cluster = useCluster('cli-ui');
  let namespace: string;
  let folder: string;
  let kubeconfig: string;
  let program: ChildProcess;
  let stderr = '';
  let used: string;
  let page: UiClient;

  before(async () => {
    await writePage();
    folder = mkdtempSync(join(tmpdir(), 'cappol-ui-'));
    namespace = await cluster.namespace('net', { 'cli-ui': 'net' });
    const policy = await cluster.policy('enforce', {
      namespaceSelector: { matchLabels: { 'cli-ui': 'net' } },
      level: 'restricted',
      mode: 'Enforce',
    });
    await cluster.programmed(policy);
    kubeconfig = withContexts(cluster.controlPlane.kubeconfig);
    const observed = {
      pod: 'web-6d5f9c7b4-x7k2q',
      container: 'app',
      capability: 'SYS_ADMIN',
      outcome: 'granted',
      count: 1,
    };
    used = join(folder, 'used.jsonl');
    writeFileSync(used, `${JSON.stringify({ observed: 'use', namespace, ...observed })}\n`);
    program = start('one,two,gone', ['--used', used]);
    program.stderr?.on('data', (text) => {
      stderr += text;
    });
    page = await UiClient.open(await linkOf(program));
  });
  after(() => {
    page?.close();
    program?.kill('SIGKILL');
    if (folder) rmSync(folder, { recursive: true });
  });

  function start(contexts: string, args: readonly string[]): ChildProcess {
    const all = [join(ROOT, 'cli', 'main.ts'), 'ui', '--kubeconfig', kubeconfig, '--context', contexts, ...args];
    return spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  async function linkOf({ stdout }: ChildProcess): Promise<string> {
    let text = '';
    stdout?.on('data', (chunk) => {
      text += chunk;
    });
    return waitFor('the link', () => /http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]+/.exec(text)?.[0]);
  }

  /** Writes a kubeconfig with two contexts of the same cluster, and one context whose API server is gone. */
  function withContexts(file: string): string {
    const config = JSON.parse(readFileSync(file, 'utf8'));
    const [context] = config.contexts;
    const [one] = config.clusters;
    config.clusters.push({ name: 'gone', cluster: { ...one.cluster, server: 'https://127.0.0.1:9' } });
    config.contexts = ['one', 'two', 'gone'].map((name) => ({
      name,
      context: { ...context.context, ...(name === 'gone' && { cluster: 'gone' }) },
    }));
    config['current-context'] = 'one';
    const path = join(folder, 'kubeconfig');
    writeFileSync(path, JSON.stringify(config));
    return path;
  }

  async function deploy(name: string, add: readonly string[]): Promise<void> {
    const matchLabels = { app: name };
    await cluster.api.apply(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas: 0,
        selector: { matchLabels },
        template: {
          metadata: { labels: matchLabels },
          spec: { containers: [{ name: 'app', image: 'app', securityContext: { capabilities: { add } } }] },
        },
      },
    });
  }

  /** The verdicts on a workload, by context. */
  function verdicts(state: LiveState, name: string): readonly (readonly [string, SnapshotVerdict])[] {
    return state.clusters().shown.flatMap(({ snapshot }) => {
      const there = snapshot.namespaces.find((one) => one.name === namespace);
      return (there?.verdicts ?? [])
        .filter((one) => one.name === name)
        .map((verdict) => [snapshot.context, verdict] as const);
    });
  }

  it('ui shows several contexts, and the problem of a context that cannot be reached', async () => {
    await page.until('both contexts', (state) => state.clusters().shown.length === 2);
    const { shown, loading, problems } = page.state.clusters();
    assert.deepEqual(
      shown.map(({ snapshot, live, stale }) => [snapshot.context, live, stale]),
      [
        ['one', true, undefined],
        ['two', true, undefined],
      ],
    );
    assert.deepEqual(loading, []);
    assert.deepEqual(problems, [
      'gone: cannot reach the cluster at https://127.0.0.1:9: nothing listens at this address (ECONNREFUSED)',
    ]);
    assert.match(stderr, /^cappol: gone: cannot reach the cluster/m);
    assert.match(stderr, /^cappol: --used: the files do not name a cluster/m);
  });

  for (const [what, change, isThere] of [
    [
      'a new workload that violates',
      () => deploy('web', ['SYS_ADMIN']),
      (state: LiveState) => verdicts(state, 'web').filter(([, { verdict }]) => verdict === 'Violating').length === 2,
    ],
    [
      'a new workload about which there is evidence',
      () => deploy('web', ['SYS_ADMIN', 'SYS_TIME']),
      (state: LiveState) =>
        state.clusters().shown.every(({ snapshot }) => {
          const there = snapshot.namespaces.find((one) => one.name === namespace)?.used ?? [];
          return there.some(({ name, used }) => name === 'web' && used.join() === 'SYS_ADMIN');
        }),
    ],
    [
      'that it is deleted',
      () => cluster.api.remove(`/apis/apps/v1/namespaces/${namespace}/deployments/web`),
      (state: LiveState) => verdicts(state, 'web').length === 0,
    ],
    [
      'a new namespace',
      async () => void (await cluster.namespace('late', { 'cli-ui': 'net' })),
      (state: LiveState) =>
        state
          .clusters()
          .shown.every(({ snapshot }) => snapshot.namespaces.some(({ name }) => name.includes('cli-ui-late'))),
    ],
    [
      'a new policy and where it decides',
      async () =>
        void (await cluster.policy('warn', {
          namespaceSelector: { matchLabels: { 'cli-ui': 'net' } },
          level: 'baseline',
          mode: 'Warn',
        })),
      (state: LiveState) =>
        state.clusters().shown.every(({ snapshot }) => {
          const there = snapshot.namespaces.find(({ name }) => name === namespace);
          return there?.deciding.Warn?.some((name) => name.includes('cli-ui-warn'));
        }),
    ],
  ] as const) {
    it(`shows within two seconds ${what}`, async () => {
      await change();
      const began = performance.now();
      await page.until(what, isThere);
      const ms = performance.now() - began;
      assert.ok(ms < WITHIN_MS, `${ms} ms`);
    });
  }

  it('is what cappol snapshot prints', async () => {
    // The operator still has to write a role for the new policy.
    await cluster.settled();
    const { code, stdout } = await cappol(['snapshot', '--kubeconfig', kubeconfig, '--context', 'two', '--used', used]);
    assert.equal(code, 0);
    // The test does not compare the policies, because the operator keeps writing statuses.
    const { policies: _policies, ...printed } = resolved(JSON.parse(stdout));
    const live = (state: LiveState) => {
      const shown = state.clusters().shown.find(({ snapshot }) => snapshot.context === 'two');
      assert.ok(shown);
      const { policies: _shown, ...rest } = resolved(shown.snapshot);
      return rest;
    };
    const isSame = (state: LiveState) => isDeepStrictEqual(live(state), printed);
    await page.until('the same', isSame).catch(() => assert.deepEqual(live(page.state), printed));
  });

  it('ui ends immediately after SIGINT, even with an open page', async () => {
    const ended = once(program, 'exit');
    const began = performance.now();
    program.kill('SIGINT');
    const [code] = await ended;
    assert.equal(code, 130);
    assert.ok(performance.now() - began < 15_000);
  });

  it('ui, snapshot and report say which rights are missing', async () => {
    await grantPolicies('page-auditor');
    const file = cluster.controlPlane.kubeconfigFor('page-auditor');
    for (const args of [['snapshot'], ['report', '--html', '-']]) {
      const ran = await cappol([...args, '--kubeconfig', file]);
      assert.equal(ran.code, 2, ran.stderr);
      assert.match(
        ran.stderr,
        /^cappol: you may not list namespaces, pods, .*: nothing is evaluated, so there are no verdicts/m,
      );
      if (args[0] === 'snapshot') assert.equal(JSON.parse(ran.stdout).usersKnown, false);
    }
    const stranger = await cappol([
      'report',
      '--html',
      '-',
      '--kubeconfig',
      cluster.controlPlane.kubeconfigFor('page-stranger'),
    ]);
    assert.equal(stranger.code, 2);
    assert.match(stranger.stderr, /^cappol: you may not list capabilitypolicies\.capabilitypolicy\.dev, /);
  });

  it('ui shows a cluster without Kubescape profiles, and says that the used capabilities are unknown', async () => {
    const other = start('one', ['--used']);
    const shown = await UiClient.open(await linkOf(other));
    try {
      await shown.until('the context', (state) => state.clusters().shown.length === 1);
      const [one] = shown.state.clusters().shown;
      assert.match(
        one?.snapshot.missing.join() ?? '',
        /^what processes used is not known: the cluster has no profiles/,
      );
    } finally {
      shown.close();
      other.kill('SIGKILL');
    }
  });

  it('ui refuses a context that is not in the kubeconfig', async () => {
    const { code, stderr: complained } = await cappol(['ui', '--kubeconfig', kubeconfig, '--context', 'one,nosuch']);
    assert.equal(code, 2);
    assert.equal(complained, 'cappol: no context "nosuch" in the kubeconfig: it has one, two, gone\n');
  });

  async function grantPolicies(user: string): Promise<void> {
    const group = 'rbac.authorization.k8s.io';
    const name = cluster.named(user);
    const metadata = { name };
    await cluster.api.apply(`/apis/${group}/v1/clusterroles/${name}`, {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRole',
      metadata,
      rules: [{ apiGroups: ['capabilitypolicy.dev'], resources: ['capabilitypolicies'], verbs: ['list'] }],
    });
    await cluster.api.apply(`/apis/${group}/v1/clusterrolebindings/${name}`, {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'ClusterRole', name },
      subjects: [{ apiGroup: group, kind: 'User', name: user }],
    });
  }
});
