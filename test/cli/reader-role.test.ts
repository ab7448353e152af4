/**
 * Tests the roles of config/rbac/reader.yaml. The roles give all rights that cappol needs, and no other rights. One
 * message names all missing rights.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { dump, loadAll } from 'js-yaml';
import { run } from '../../cli/program.ts';
import type { Json } from '../../hack/controlplane/api.ts';
import { cappol, type Ran } from '../support/cappol.ts';
import { eventually, useCluster } from '../support/harness.ts';
import { grant } from '../support/namespace-changes.ts';
import { statusOf } from '../support/observed.ts';
import { restrictedPod } from '../support/pod-manifests.ts';
import { CONFIG, type RbacObject } from '../support/rights.ts';

const [CLUSTER_ROLE, ROLE] = loadAll(readFileSync(join(CONFIG, 'rbac', 'reader.yaml'), 'utf8')) as [
  RbacObject,
  RbacObject,
];

/** The resources of a role in the form of messages, such as `pods` and `deployments.apps`. */
function resourcesOf({ rules = [] }: RbacObject): string[] {
  const all = rules.flatMap(({ apiGroups = [], resources = [] }) =>
    apiGroups.flatMap((group) => resources.map((one) => (group === '' ? one : `${one}.${group}`))),
  );
  return all.sort();
}

/** Whether commands list the resources of the rule, and never watch them. */
function isOnlyListed({ resources = [] }: { readonly resources?: readonly string[] }): boolean {
  return resources.some((one) => ['serviceaccounts', 'mutatingwebhookconfigurations'].includes(one));
}

/** The resources that, according to messages, the user may not list. */
function namedIn(...all: readonly Ran[]): string[] {
  const texts = all.flatMap(({ stderr }) => [...stderr.matchAll(/you may not list (.*?)(?: \(|:)/g)]);
  const names = texts.flatMap(([, text = '']) =>
    text.replaceAll(/(?:,? and)? in (?:the cluster|namespace [a-z-]+)/g, '').split(/,? and |, /),
  );
  return [...new Set(names)].sort();
}

describe('the roles for readers', function () {
  this.timeout(300_000);
  const cluster = useCluster('reader');
  let namespace: string;
  let pod: string;
  let policy: string;

  before(async () => {
    namespace = await cluster.namespace('team', { team: 'reader' });
    const { spec } = restrictedPod() as Json;
    const labels = { app: 'web' };
    await cluster.api.apply(`/apis/apps/v1/namespaces/${namespace}/deployments/web`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    });
    const name = await cluster.policy('all', {
      namespaceSelector: { matchLabels: { team: 'reader' } },
      level: 'restricted',
      mode: 'Enforce',
    });
    await cluster.programmed(name);
    const rollout = await cluster.policy('rollout', {
      namespaceSelector: { matchLabels: { team: 'reader' } },
      level: 'baseline',
      mode: 'Enforce',
      rollout: { soak: '24h' },
    });
    await eventually('the pending rollout', async () => (await statusOf(cluster.api, rollout)).rollout?.soaking === 1);
    policy = dump({
      apiVersion: 'capabilitypolicy.dev/v1alpha1',
      kind: 'CapabilityPolicy',
      metadata: { name },
      spec: { namespaceSelector: { matchLabels: { team: 'reader' } }, level: 'baseline', mode: 'Enforce' },
    });
    pod = dump({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace }, spec }, { noRefs: true });
  });

  const as = (user: string, args: readonly string[], stdin = '') =>
    cappol([...args, '--kubeconfig', cluster.controlPlane.kubeconfigFor(user)], stdin);

  /** Runs every command that reads a whole cluster. */
  const wholeCluster = (user: string) =>
    Promise.all([
      as(user, ['status', '-A']),
      as(user, ['snapshot']),
      as(user, ['check', '--cluster', '-A']),
      as(user, ['check', '--cluster', '-f', '-'], pod),
      as(user, ['check', '--cluster', '-A', '--policy', '-'], policy),
      as(user, ['render', '--diff']),
      as(user, ['suggest', '--cluster', '-A']),
      as(user, ['explain', '--cluster', '-A']),
      as(user, ['explain', 'NET_RAW', 'hostNetwork', '--cluster', '-A']),
    ]);

  const oneNamespace = (user: string) =>
    Promise.all([
      as(user, ['suggest', '--cluster', '-n', namespace]),
      as(user, ['explain', '--cluster', '-n', namespace]),
      as(user, ['check', '--cluster', '--level', 'restricted', '-n', namespace]),
    ]);

  it('the roles for readers suffice for every command that reads a cluster', async () => {
    await grant(cluster.api, 'cluster-reader', CLUSTER_ROLE.rules ?? []);
    for (const { code, stderr } of await wholeCluster('cluster-reader')) {
      assert.doesNotMatch(stderr, /may not/);
      assert.notEqual(code, 2, stderr);
    }
  });

  it('have no right that no command needs', async () => {
    const watched = (CLUSTER_ROLE.rules ?? []).filter((rule) => !isOnlyListed(rule));
    await grant(cluster.api, 'watcher', watched);
    const named = namedIn(...(await wholeCluster('stranger')), ...(await wholeCluster('watcher')));
    assert.deepEqual(named, resourcesOf(CLUSTER_ROLE));
  });

  it('the roles for readers give the right to watch only for resources that commands watch', async () => {
    for (const rule of CLUSTER_ROLE.rules ?? [])
      assert.deepEqual(rule.verbs, isOnlyListed(rule) ? ['list'] : ['list', 'watch']);
    assert.equal(await complaints('cluster-reader'), '');
    await grant(
      cluster.api,
      'lister',
      (CLUSTER_ROLE.rules ?? []).map((rule) => ({ ...rule, verbs: ['list'] })),
    );
    assert.match(await complaints('lister'), /cannot watch resource/);
  });

  it('are enough in one namespace', async () => {
    await grant(cluster.api, 'namespace-reader', ROLE.rules ?? [], { namespace });
    for (const { code, stderr } of await oneNamespace('namespace-reader')) {
      assert.doesNotMatch(stderr, /may not/);
      assert.notEqual(code, 2, stderr);
    }
    assert.deepEqual(namedIn(...(await oneNamespace('stranger'))), resourcesOf(ROLE));
  });

  it('with a Role that allows reading its own namespace, cappol does not need the right to list all namespaces', async () => {
    const withoutPods = (ROLE.rules ?? []).map(({ resources = [], ...rule }) => ({
      ...rule,
      resources: resources.filter((one) => one !== 'pods'),
    }));
    await grant(cluster.api, 'almost-reader', withoutPods, { namespace });
    const { stderr } = await as('almost-reader', ['check', '--cluster', '-n', namespace, '--level', 'baseline']);
    assert.match(stderr, /^cappol: you may not list pods in namespace reader-team \(/);
  });

  it('one message names all missing rights that the roles for readers would give', async () => {
    const { code, stdout, stderr } = await as('stranger', ['check', '--cluster', '-n', namespace]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(
      stderr,
      /^cappol: you may not list capabilitypolicies\.capabilitypolicy\.dev, .*, namespaces in the cluster, and cronjobs\.batch, .*, pods, .*, roles\.rbac.* in namespace reader-team \(you are user "stranger"\): the ClusterRole and the Role of config\/rbac\/reader\.yaml have the rights that cappol needs\n$/,
    );
  });

  /**
   * Returns the standard error of `status --watch`. The command shows the cluster once, and continues to run for some
   * time.
   */
  async function complaints(user: string): Promise<string> {
    const stopping = new AbortController();
    const written = { stdout: '', stderr: '' };
    const into = (stream: keyof typeof written) =>
      new Writable({
        write(chunk, _encoding, done) {
          written[stream] += chunk;
          done();
        },
      });
    const running = run(['status', '-A', '--watch', '--kubeconfig', cluster.controlPlane.kubeconfigFor(user)], {
      stdin: Readable.from([]),
      stdout: into('stdout'),
      stderr: into('stderr'),
      env: {},
      cwd: import.meta.dirname,
      signal: stopping.signal,
    });
    await eventually('the view or a complaint', async () => written.stdout !== '' || written.stderr !== '');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    stopping.abort();
    await running;
    return written.stderr;
  }
});
