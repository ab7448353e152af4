import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import { load } from 'js-yaml';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { SERVER_MINOR } from '../../hack/controlplane/version.ts';
import {
  ApiClient,
  ApiError,
  type Identified,
  pathOf,
  type Query,
  type WatchEvent,
} from '../../operator/cluster/client.ts';
import { Collection } from '../../operator/cluster/collection.ts';
import type { Source } from '../../operator/cluster/reading.ts';
import { Reflector } from '../../operator/cluster/reflector.ts';
import { askServers, endpoints, oldest, type ServerMinors } from '../../operator/cluster/servers.ts';
import { fanOut } from '../../operator/cluster/sink.ts';
import { ROLE_BINDINGS, ROLES } from '../../operator/cluster/sources.ts';
import { createCluster, type FollowedCluster, Store } from '../../operator/cluster/store.ts';
import type { Change, NamespaceView } from '../../operator/model/objects.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import { createProjection } from '../../operator/projection/projection.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { RecordingLog } from '../support/recording-log.ts';

const NAMESPACE = 'cluster-store';
/** The time in ms within which the store has to show a change. */
const SOON_MS = 10_000;

const inNamespace = (apiVersion: string, kind: string, name: string, rest: object, meta: object = {}) =>
  ({ apiVersion, kind, metadata: { name, namespace: NAMESPACE, ...meta }, ...rest }) as Identified;

async function within(ms: number, what: string, look: () => unknown): Promise<void> {
  const until = performance.now() + ms;
  while (!(await look())) {
    if (performance.now() > until) assert.fail(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('a binding with a changed role in a new list', () => {
  it('if a binding gets a new role, the change also concerns the policies of the earlier role', () => {
    const told: string[] = [];
    const store = new Store(createProjection([]), { oldest: 36 }, ({ of }) => told.push(of));
    const list = (source: Source, object: RawObject) => {
      const sink = fanOut(store.followed.get(source) ?? []);
      sink.listing();
      sink.put(object);
      sink.listed();
    };
    const binding = (role: string) => ({
      metadata: { namespace: 'net', name: 'users' },
      roleRef: { kind: 'Role', name: role },
    });
    const rules = [{ apiGroups: ['capabilitypolicy.dev'], resources: ['capabilitypolicies'], verbs: ['use'] }];
    list(ROLES, { metadata: { namespace: 'net', name: 'user' }, rules });
    list(ROLE_BINDINGS, binding('user'));
    told.length = 0;
    list(ROLE_BINDINGS, binding('another'));
    assert.deepEqual(told, ['rbac']);
  });
});

describe('the followed cluster, with a real API server', () => {
  let controlPlane: ControlPlane;
  let client: ApiClient;
  let followed: FollowedCluster;
  const abort = new AbortController();
  const changes: Change[] = [];
  const log = new RecordingLog();
  const template = {
    metadata: { labels: { app: 'a' } },
    spec: { containers: [{ name: 'app', image: 'x', securityContext: { privileged: true } }] },
  };

  before(async function () {
    this.timeout(240_000);
    controlPlane = await sharedControlPlane();
    client = connect();
    await client.apply(load(readFileSync('crds/capabilitypolicies.yaml', 'utf8')) as Identified, { force: true });
    await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
    followed = createCluster(client, { log, onChange: (change) => changes.push(change) });
    await followed.start(abort.signal);
  });

  after(async () => {
    abort.abort();
    await followed?.ended();
    await client?.remove(`/api/v1/namespaces/${NAMESPACE}`).catch(() => {});
    await client?.close();
  });

  function connect(): ApiClient {
    const config = new KubeConfig();
    config.loadFromFile(controlPlane.kubeconfig);
    return new ApiClient(config);
  }

  it('the cluster shows existing objects: namespaces in order, roles of administrators, the server version', () => {
    const { cluster } = followed;
    const names = cluster.namespaces().map(({ name }) => name);
    assert.deepEqual(names, [...names].sort());
    assert.ok(names.includes('kube-system') && names.includes(NAMESPACE));
    assert.ok([...cluster.roles()].some(({ name }) => name === 'cluster-admin'));
    assert.ok([...cluster.roleBindings()].some(({ role }) => role.name === 'cluster-admin'));
    assert.equal(cluster.oldestServer, SERVER_MINOR);
  });

  it('sees a pod being created, changed and deleted', async () => {
    const pod = inNamespace('v1', 'Pod', 'bare', { spec: { ...template.spec, automountServiceAccountToken: false } });
    const find = () => [...followed.cluster.pods(NAMESPACE)].find(({ name }) => name === 'bare');
    // The controller manager creates the default service account a moment after the namespace.
    const account = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/default`;
    await within(10_000, 'service account', () => client.get(account).catch(() => undefined));
    const { metadata } = await client.apply(pod);
    await within(SOON_MS, 'created', find);
    assert.equal(find()?.uid, metadata?.uid);
    assert.deepEqual(find()?.spec.containers, [{ name: 'app', image: 'x', securityContext: { privileged: true } }]);
    await client.replaceStatus(pathOf(pod), metadata?.uid ?? '', { phase: 'Failed' });
    await within(SOON_MS, 'finished', () => find()?.finished);
    await client.remove(pathOf(pod), { uid: metadata?.uid ?? '' });
    await within(SOON_MS, 'deleted', () => !find());
  });

  it('the cluster reports a change only if the change concerns the projection', async () => {
    const deployment = (replicas: number, meta: object = {}) =>
      inNamespace(
        'apps/v1',
        'Deployment',
        'web',
        { spec: { replicas, selector: { matchLabels: { app: 'a' } }, template } },
        meta,
      );
    const find = () => followed.cluster.workload(NAMESPACE, 'Deployment', 'web');
    const told = () => changes.filter((change) => change.of === 'workload' && change.name === 'web').length;
    await client.apply(deployment(0));
    await within(SOON_MS, 'created', find);
    const before = told();
    await client.apply(deployment(0, { labels: { note: 'x' } }));
    await client.apply(deployment(1, { labels: { note: 'y' } }));
    await within(SOON_MS, 'scaled', () => find()?.replicas === 1);
    // The store reports only one change, although the Deployment controller also writes the status at the same time.
    assert.equal(told(), before + 1);
    assert.equal(
      [...followed.cluster.workloads(NAMESPACE)].some(({ kind }) => kind === 'Deployment'),
      true,
    );
    await client.remove(pathOf(deployment(1)));
    await within(SOON_MS, 'deleted', () => !find());
  });

  it('the cluster knows the owner of an old ReplicaSet, and does not count the ReplicaSet as a workload', async () => {
    const spec = { replicas: 0, selector: { matchLabels: { app: 'old' } } };
    const labelled = { ...template, metadata: { labels: { app: 'old' } } };
    // The test creates the Deployment, because the garbage collector would at once delete a ReplicaSet without its
    // owner.
    const deployment = inNamespace('apps/v1', 'Deployment', 'kept', { spec: { ...spec, template: labelled } });
    const { metadata } = await client.apply(deployment);
    const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'kept', uid: metadata?.uid ?? '' };
    const meta = { labels: { app: 'old' }, ownerReferences: [{ ...owner, controller: true }] };
    const before = { ...labelled, spec: { ...template.spec, hostPID: true } };
    const old = inNamespace('apps/v1', 'ReplicaSet', 'old', { spec: { ...spec, template: before } }, meta);
    const find = () => followed.cluster.workload(NAMESPACE, 'ReplicaSet', 'old');
    await client.apply(old);
    await within(SOON_MS, 'created', find);
    assert.deepEqual(find()?.owner, owner);
    assert.deepEqual(
      [...followed.cluster.workloads(NAMESPACE)].filter(({ name }) => name === 'old'),
      [],
    );
    await client.remove(pathOf(deployment));
  });

  it('sees a policy and its status', async () => {
    const head = {
      apiVersion: 'capabilitypolicy.dev/v1alpha1',
      kind: 'CapabilityPolicy',
      metadata: { name: NAMESPACE },
    };
    const selector = { matchLabels: { none: 'none' } };
    const { metadata } = await client.apply({
      ...head,
      spec: { namespaceSelector: selector, level: 'baseline' },
    } as Identified);
    await within(SOON_MS, 'created', () => followed.cluster.policy(NAMESPACE));
    await client.replaceStatus(pathOf(head), metadata?.uid ?? '', { observedGeneration: 1 });
    await within(SOON_MS, 'status', () => followed.cluster.policy(NAMESPACE)?.status?.observedGeneration === 1);
    assert.deepEqual(followed.cluster.policy(NAMESPACE)?.spec.namespaceSelector, selector);
    await client.remove(pathOf(head));
    await within(SOON_MS, 'deleted', () => !followed.cluster.policy(NAMESPACE));
  });

  it('the cluster shows which manager owns a label, and who may use a policy', async () => {
    const labels = { 'pod-security.kubernetes.io/warn': 'restricted' };
    await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels } } as Identified);
    await within(
      SOON_MS,
      'label',
      () => followed.cluster.namespace(NAMESPACE)?.labels['pod-security.kubernetes.io/warn'],
    );
    assert.deepEqual(followed.cluster.namespace(NAMESPACE)?.labelOwners, {
      'pod-security.kubernetes.io/warn': [{ manager: 'capabilitypolicy.dev', operation: 'Apply' }],
    });
    const rules = [{ apiGroups: ['capabilitypolicy.dev'], resources: ['capabilitypolicies'], verbs: ['use'] }];
    const role = inNamespace('rbac.authorization.k8s.io/v1', 'Role', 'user', { rules });
    const find = () => [...followed.cluster.roles()].find(({ namespace }) => namespace === NAMESPACE);
    const told = () => changes.filter(({ of }) => of === 'rbac').length;
    const before = told();
    await client.apply(role);
    await within(SOON_MS, 'role', find);
    assert.deepEqual(find(), { namespace: NAMESPACE, name: 'user', rules });
    assert.ok(told() > before);
  });

  it('the cluster keeps rendered objects completely, and notices when their label is removed', async () => {
    const role = (labels: object) =>
      ({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: NAMESPACE, labels },
        rules: [],
      }) as Identified;
    const find = () => followed.cluster.rendered().find(({ metadata }) => metadata.name === NAMESPACE);
    await client.apply(role({ 'app.kubernetes.io/managed-by': 'capabilitypolicy.dev' }));
    await within(SOON_MS, 'created', find);
    assert.equal(find()?.kind, 'ClusterRole');
    assert.equal(find()?.apiVersion, 'rbac.authorization.k8s.io/v1');
    assert.ok(find()?.metadata.managedFields);
    await client.apply(role({}));
    await within(SOON_MS, 'without its label', () => !find());
    await client.remove(pathOf(role({})));
  });

  it('loses nothing when the API server restarts', async function () {
    this.timeout(90_000);
    const podTemplate = (name: string) => inNamespace('v1', 'PodTemplate', name, { template });
    const find = (name: string) => followed.cluster.workload(NAMESPACE, 'PodTemplate', name);
    await client.apply(podTemplate('before'));
    await within(SOON_MS, 'created', () => find('before'));
    await controlPlane.restartApiServer();
    await client.remove(pathOf(podTemplate('before')));
    await client.apply(podTemplate('after'));
    await within(15_000, 'created after the restart', () => find('after'));
    await within(SOON_MS, 'deleted after the restart', () => !find('before'));
    // When the store has caught up with the API server, the store shows changes quickly again.
    await client.apply(podTemplate('later'));
    await within(SOON_MS, 'created later', () => find('later'));
  });

  it('the cluster lists again when the API server has dropped the resourceVersion of the watch', async () => {
    const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await client.apply(namespace(`${NAMESPACE}-a`));
    const stop = new AbortController();
    /**
     * A client whose first watch starts too late. The client requests a resourceVersion that the server has dropped.
     */
    class LateClient extends ApiClient {
      #watched = 0;
      override async watch(path: string, query: Query, onEvent: (event: WatchEvent) => void, options = {}) {
        if (query.sendInitialEvents) throw new ApiError({ status: 422, reason: 'Invalid', message: 'no', causes: [] });
        if (this.#watched++ > 0) return super.watch(path, query, onEvent, options);
        await client.apply(namespace(`${NAMESPACE}-b`));
        await client.remove(pathOf(namespace(`${NAMESPACE}-a`)));
        return super.watch(path, { ...query, resourceVersion: '1' }, onEvent, options);
      }
    }
    const config = new KubeConfig();
    config.loadFromFile(controlPlane.kubeconfig);
    const late = new LateClient(config);
    const told: string[] = [];
    const namespaces = new Collection<NamespaceView>({
      project: createProjection([]).namespace,
      changed: ({ name, terminating }) => told.push(`${name}${terminating ? ' ends' : ''}`),
    });
    const lateLog = new RecordingLog();
    const running = new Reflector(late, { apiVersion: 'v1', kind: 'Namespace' }, namespaces, stop.signal, {
      log: lateLog,
    }).run();
    await within(5_000, 'found after the second list', () => namespaces.get('', `${NAMESPACE}-b`));
    const first = namespaces.get('', `${NAMESPACE}-a`);
    assert.ok(!first || first.terminating);
    assert.deepEqual(lateLog.messages('info'), ['resourceVersion expired, listing again']);
    assert.deepEqual(
      told.filter((name) => name === 'kube-system'),
      ['kube-system'],
      'reported once, by the first list',
    );
    stop.abort();
    await running;
    await client.remove(pathOf(namespace(`${NAMESPACE}-b`)));
    await late.close();
  });

  it('the function endpoints finds API servers to ask, and the function oldest returns the minor version of the oldest API server', async () => {
    const clients = await endpoints(client);
    assert.ok(clients.length >= 1);
    for (const each of clients)
      assert.equal((await each.get<{ minor: string }>('/version')).minor, String(SERVER_MINOR));
    assert.equal(oldest(await askServers(client)), SERVER_MINOR);
  });

  it('the client trusts an API server at another address only if the certificate has the right name', async () => {
    const version = (servername: string) =>
      client.at(controlPlane.server, servername).get<{ minor: string }>('/version');
    assert.equal((await version('kubernetes.default.svc')).minor, String(SERVER_MINOR));
    await assert.rejects(version('elsewhere.example'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  it('the cluster reports when an API server appears or disappears, and when the oldest version changes', async () => {
    const answers = [{ a: 34 }, { a: 34 }, { a: 34, b: 36 }, { b: 36 }, { b: 36 }].map(
      (minors) => new Map(Object.entries(minors)),
    );
    const before: ServerMinors[] = [];
    const told: unknown[] = [];
    const stop = new AbortController();
    const nowhere = createCluster(clientOfNowhere(), {
      log: new RecordingLog(),
      onChange: (change) => told.push(change),
      serversRefreshMs: 1,
      ask: async (_, known = new Map()) => {
        const answer = answers[before.push(known) - 1];
        if (answer === undefined) stop.abort(new Error('stopped'));
        return answer ?? known;
      },
    });
    await assert.rejects(nowhere.start(stop.signal), { message: 'stopped' });
    await nowhere.ended();
    const changes = [true, false, true].map((another) => ({ of: 'servers', oldest: another }));
    assert.deepEqual(told, changes);
    assert.deepEqual(before.slice(1), answers, 'given their earlier versions');
    assert.equal(nowhere.cluster.oldestServer, 36);
  });

  it('the function start stops waiting for an unreachable cluster when its signal aborts', async () => {
    const stop = new AbortController();
    const nowhere = createCluster(clientOfNowhere(), { log: new RecordingLog(), onChange: () => {} });
    setTimeout(() => stop.abort(new Error('stopped')), 50);
    await assert.rejects(nowhere.start(stop.signal), { message: 'stopped' });
    await nowhere.ended();
  });
});

function clientOfNowhere(): ApiClient {
  const config = new KubeConfig();
  const cluster = { name: 'c', server: 'https://127.0.0.1:1', skipTLSVerify: true };
  config.loadFromClusterAndUser(cluster, { name: 'u' });
  return new ApiClient(config);
}
