import assert from 'node:assert/strict';
import { KubeConfig } from '@kubernetes/client-node';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { ApiClient } from '../../operator/cluster/client.ts';
import { authorized } from '../../operator/runtime/access.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { OperatorProcess } from '../support/operator-process.ts';

const NAME = 'metrics-access';
const RBAC = 'rbac.authorization.k8s.io/v1';

describe('the users who may read /metrics, on a real API server', () => {
  let client: ApiClient;
  let token: string;

  before(async function () {
    this.timeout(300_000);
    const config = new KubeConfig();
    config.loadFromFile((await sharedControlPlane()).kubeconfig);
    client = new ApiClient(config);
    await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAME } });
    const accounts = `/api/v1/namespaces/${NAME}/serviceaccounts`;
    await client.create(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'scraper' } });
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const answer = await client.create(`${accounts}/scraper/token`, request);
    token = (answer as { status?: { token?: string } }).status?.token ?? '';
  });

  after(async () => {
    await client.remove(`/apis/${RBAC}/clusterrolebindings/${NAME}`);
    await client.remove(`/apis/${RBAC}/clusterroles/${NAME}`);
    await client.remove(`/api/v1/namespaces/${NAME}`);
    await client.close();
  });

  /** Requests the metrics from a new handler. A new handler has no cached answers. */
  async function ask(bearer: string): Promise<number | undefined> {
    const handle = authorized(async () => ({ status: 200, body: 'shown' }), { client });
    const headers = { authorization: `Bearer ${bearer}` };
    return (await handle({ path: '/metrics', query: new URLSearchParams(), headers }))?.status;
  }

  it('excludes forged tokens', async () => {
    assert.equal(await ask('forged'), 401);
    assert.equal(await ask(`${token.slice(0, -4)}AAAA`), 401);
  });

  it('a service account may read /metrics as soon as the role binding exists', async () => {
    assert.equal(await ask(token), 403);
    const rules = [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }];
    const role = { apiVersion: RBAC, kind: 'ClusterRole', metadata: { name: NAME }, rules };
    await client.apply(role);
    const binding = {
      apiVersion: RBAC,
      kind: 'ClusterRoleBinding',
      metadata: { name: NAME },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: NAME },
      subjects: [{ kind: 'ServiceAccount', namespace: NAME, name: 'scraper' }],
    };
    await client.apply(binding);
    await waitFor('the binding to take effect', async () => (await ask(token)) === 200);
  });
});

describe('an operator that cannot serve /metrics', () => {
  it('ends, so that it is started again', async function () {
    this.timeout(300_000);
    const { kubeconfig } = await sharedControlPlane();
    const place = ['--kubeconfig', kubeconfig, '--operator-namespace', NAME];
    const metrics = ['--metrics-bind-address', '127.0.0.1:0', '--metrics-cert-path', '/nowhere'];
    const operator = new OperatorProcess([...place, '--health-probe-bind-address', '127.0.0.1:0', ...metrics]);
    try {
      await operator.start();
      await waitFor('it to end', () => !operator.running, { timeoutMs: 20_000 });
      assert.match(operator.logEnd(), /--metrics-cert-path.*nowhere/);
    } finally {
      await operator.stop('SIGKILL');
    }
  });
});
