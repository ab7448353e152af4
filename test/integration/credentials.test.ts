/** Tests the credentials of a kubeconfig on a real API server: plugins, impersonated users, and proxies. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api, type Json } from '../../hack/controlplane/api.ts';
import { ApiClient } from '../../operator/cluster/client.ts';
import { loadKubeConfig } from '../../operator/cluster/kubeconfig.ts';
import { cappol } from '../support/cappol.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { createNamespace } from '../support/harness.ts';
import { writtenPolicy } from '../support/policies.ts';
import { NAMESPACES } from '../support/rendered.ts';

const NAMESPACE = 'credentials';
const API_VERSION = 'client.authentication.k8s.io/v1';
const REVIEW = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const VERSION = '/version';

/**
 * A credential plugin that records each of its runs, and the input of each run. The plugin takes some time, as real
 * plugins do.
 */
const PLUGIN = `#!/usr/bin/env node
const { appendFileSync, readFileSync } = require('node:fs');
const { LOG, ANSWER, SCRIPT_ENV, KUBERNETES_EXEC_INFO } = process.env;
appendFileSync(LOG, JSON.stringify({ info: JSON.parse(KUBERNETES_EXEC_INFO), args: process.argv.slice(2), SCRIPT_ENV }) + '\\n');
setTimeout(() => {
  const answer = readFileSync(ANSWER, 'utf8');
  if (answer.startsWith('exit')) process.exit(Number(answer.slice(5)));
  process.stdout.write(answer);
}, 300);
`;

describe('credentials of a kubeconfig', function () {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), 'credentials-'));
  const [log, answer] = [join(folder, 'runs'), join(folder, 'answer')];
  const clients: ApiClient[] = [];
  let api: Api;
  let whole: Json;
  let token: string;

  before(async () => {
    const controlPlane = await sharedControlPlane();
    api = new Api(controlPlane.kubeconfig);
    whole = JSON.parse(readFileSync(controlPlane.kubeconfig, 'utf8'));
    await createNamespace(api, NAMESPACE);
    const apiGroup = 'rbac.authorization.k8s.io';
    await api.apply(`/apis/${apiGroup}/v1/clusterrolebindings/${NAMESPACE}`, {
      apiVersion: `${apiGroup}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: NAMESPACE },
      roleRef: { apiGroup, kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: NAMESPACE }],
    });
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const { status } = await api.create(`${NAMESPACES}/${NAMESPACE}/serviceaccounts/default/token`, request);
    ({ token } = status);
    writeFileSync(join(folder, 'plugin'), PLUGIN);
    chmodSync(join(folder, 'plugin'), 0o755);
  });

  beforeEach(() => {
    rmSync(log, { force: true });
    writeFileSync(answer, credential({ token }));
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });

  after(async () => {
    await api.remove(`/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${NAMESPACE}`);
    await api.remove(`${NAMESPACES}/${NAMESPACE}`);
    await api.close();
    rmSync(folder, { recursive: true });
  });

  function credential(status: object, rest: object = {}): string {
    return JSON.stringify({ apiVersion: API_VERSION, kind: 'ExecCredential', status, ...rest });
  }

  function kubeconfig(user: object, cluster: object = {}): string {
    const [{ name, cluster: own }] = whole.clusters;
    const file = join(folder, 'kubeconfig');
    const content = { ...whole, clusters: [{ name, cluster: { ...own, ...cluster } }] };
    writeFileSync(file, JSON.stringify({ ...content, users: [{ name: whole.users[0].name, user }] }));
    return file;
  }

  function plugin(more: object = {}, cluster: object = {}): string {
    const env = Object.entries({ LOG: log, ANSWER: answer, SCRIPT_ENV: 'set' }).map(([name, value]) => ({
      name,
      value,
    }));
    return kubeconfig(
      { exec: { apiVersion: API_VERSION, command: './plugin', args: ['one', 'two'], env, ...more } },
      cluster,
    );
  }

  function client(file: string, environment?: Record<string, string>): ApiClient {
    const config = loadKubeConfig({ kubeconfig: file }, environment);
    const made = new ApiClient(config);
    clients.push(made);
    return made;
  }

  function runs(): Json[] {
    return readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }

  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const whoAmI = async (one: ApiClient) => ((await one.create(REVIEW, review)) as Json).status.userInfo;

  describe('that a program prints', () => {
    it('all requests of a command share one run of the program', async () => {
      const policy = join(folder, 'policy.yaml');
      writeFileSync(policy, JSON.stringify(writtenPolicy('any', { level: 'privileged', overrides: {} })));
      const { code, stderr } = await cappol(['check', '--cluster', '-A', '--policy', policy, '--kubeconfig', plugin()]);
      assert.equal(code, 0, stderr);
      assert.equal(runs().length, 1);
    });

    it('all connections of a client share one run of the program', async () => {
      const own = client(plugin());
      const copies = [own, own.fresh(), own.apart(), own.at(own.server)];
      clients.push(...copies.slice(1));
      await Promise.all(copies.flatMap((one) => Array.from({ length: 3 }, () => one.get(VERSION))));
      assert.equal((await whoAmI(own)).username, `system:serviceaccount:${NAMESPACE}:default`);
      assert.equal(runs().length, 1);
    });

    it('are asked for with KUBERNETES_EXEC_INFO', async () => {
      await client(plugin()).get(VERSION);
      const interactive = process.stdin.isTTY === true;
      const info = { kind: 'ExecCredential', apiVersion: API_VERSION, spec: { interactive } };
      assert.deepEqual(runs(), [{ info, args: ['one', 'two'], SCRIPT_ENV: 'set' }]);
    });

    it('the program gets information about the cluster if provideClusterInfo is set', async () => {
      const extension = { audience: 'ours' };
      const extensions = [{ name: 'client.authentication.k8s.io/exec', extension }];
      await client(plugin({ provideClusterInfo: true, interactiveMode: 'Never' }, { extensions })).get(VERSION);
      const [{ info }] = runs() as [Json];
      const { server, 'certificate-authority-data': authority } = whole.clusters[0].cluster;
      const cluster = { server, 'certificate-authority-data': authority, config: extension };
      assert.deepEqual(info.spec, { interactive: false, cluster });
    });

    it('the program runs exactly once again after the credentials have expired', async () => {
      const expirationTimestamp = new Date(Date.now() + 2_000).toISOString();
      writeFileSync(answer, credential({ token, expirationTimestamp }));
      const own = client(plugin());
      await own.get(VERSION);
      await own.get(VERSION);
      assert.equal(runs().length, 1);
      await new Promise((resolve) => setTimeout(resolve, 2_100));
      await Promise.all(Array.from({ length: 5 }, () => own.get(VERSION)));
      assert.equal(runs().length, 2);
    });

    it('the program runs again when the API server refuses the credentials', async () => {
      writeFileSync(answer, credential({ token: 'revoked' }));
      const own = client(plugin());
      const refused = await Promise.allSettled(Array.from({ length: 5 }, () => own.get('/api/v1/namespaces')));
      assert.ok(refused.every((one) => one.status === 'rejected' && /401|Unauthorized/.test(one.reason.message)));
      assert.equal(runs().length, 1);
      writeFileSync(answer, credential({ token }));
      await Promise.all(Array.from({ length: 5 }, () => own.get('/api/v1/namespaces')));
      assert.equal(runs().length, 2);
    });

    it('may be a certificate', async () => {
      const [{ user }] = whole.users;
      const text = (field: string) => Buffer.from(user[field], 'base64').toString();
      const pair = { clientCertificateData: text('client-certificate-data'), clientKeyData: text('client-key-data') };
      writeFileSync(answer, credential(pair));
      const own = client(plugin());
      await Promise.all([own.get('/api/v1/namespaces'), own.get('/api/v1/namespaces')]);
      assert.equal(runs().length, 1);
    });

    const wrong: [title: string, answer: () => string, message: RegExp][] = [
      ['nothing', () => 'exit 3', /plugin returned no credentials: it ended with 3$/],
      ['no JSON', () => 'token: x', /plugin returned no credentials: its output is not JSON$/],
      [
        'another version',
        () => credential({ token }, { apiVersion: 'x/v1' }),
        /is not an ExecCredential of client\.auth/,
      ],
      ['no token', () => credential({}), /has no token and no certificate$/],
      [
        'a certificate without a key',
        () => credential({ clientCertificateData: 'x' }),
        /has a certificate without a key, or a key without a certificate$/,
      ],
    ];
    for (const [title, text, message] of wrong) {
      it(`end a command with one line when there is ${title}`, async () => {
        writeFileSync(answer, text());
        const { code, stderr } = await cappol(['check', '--cluster', '--kubeconfig', plugin()]);
        assert.equal(code, 2);
        assert.match(stderr.trimEnd(), message);
        assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
        assert.equal(runs().length, 1);
      });
    }

    it('a command with a missing program fails with a hint on how to install the program', async () => {
      const exec = { apiVersion: API_VERSION, command: 'no-such-program', installHint: 'install it:\n  first' };
      const { code, stderr } = await cappol(['check', '--cluster', '--kubeconfig', kubeconfig({ exec })]);
      assert.equal(code, 2);
      assert.match(stderr, /^cappol: cannot run no-such-program for credentials: ENOENT: install it: first$/m);
    });
  });

  it('the API server gets every field of the impersonated user', async () => {
    const extra = { 'example.org/Scope%': ['a', 'ü'], reason: ['x'] };
    const as = { as: 'jane', 'as-uid': '42', 'as-groups': ['one', 'two, three'], 'as-user-extra': extra };
    const { username, uid, groups, extra: seen } = await whoAmI(client(kubeconfig({ token, ...as })));
    assert.deepEqual([username, uid, groups], ['jane', '42', ['one', 'two, three', 'system:authenticated']]);
    assert.deepEqual(seen, { 'example.org/scope%': ['a', 'ü'], reason: ['x'] });
  });

  it('the client reads the token from the file in tokenFile', async () => {
    writeFileSync(join(folder, 'token'), token);
    const { username } = await whoAmI(client(kubeconfig({ tokenFile: 'token' })));
    assert.equal(username, `system:serviceaccount:${NAMESPACE}:default`);
  });

  describe('through a proxy', () => {
    let proxy: Server;
    let asked: { host: string | undefined; authorization: string | undefined }[] = [];
    /** A host name that only the proxy can reach. */
    const HIDDEN = 'https://kubernetes.default.svc:6443';

    before(async () => {
      const { hostname, port } = new URL(whole.clusters[0].cluster.server);
      proxy = createServer();
      proxy.on('connect', ({ url, headers }, socket, head) => {
        asked.push({ host: url, authorization: headers['proxy-authorization'] });
        const target = connect(Number(port), hostname, () => {
          socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
          target.write(head);
          target.pipe(socket).pipe(target);
        });
        for (const end of [target, socket]) end.on('error', () => {});
      });
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    });

    beforeEach(() => {
      asked = [];
    });

    after(() => {
      proxy.closeAllConnections();
      proxy.close();
    });

    const at = (login = '') => `http://${login}127.0.0.1:${(proxy.address() as AddressInfo).port}`;

    it('of HTTPS_PROXY', async () => {
      const own = client(kubeconfig({ token }, { server: HIDDEN }), { HTTPS_PROXY: at('me:secret@') });
      assert.equal((await whoAmI(own)).username, `system:serviceaccount:${NAMESPACE}:default`);
      const authorization = `Basic ${Buffer.from('me:secret').toString('base64')}`;
      assert.deepEqual(asked, [{ host: 'kubernetes.default.svc:6443', authorization }]);
    });

    it('of the kubeconfig, whatever the variables say', async () => {
      const file = kubeconfig({ token }, { server: HIDDEN, 'proxy-url': at() });
      await client(file, { HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: '*' }).get(VERSION);
      assert.equal(asked.length, 1);
    });

    it('the client uses the proxy only for addresses that NO_PROXY does not exclude, including the addresses that API servers publish', async () => {
      const environment = { HTTPS_PROXY: at(), NO_PROXY: '10.0.0.0/8' };
      const own = client(kubeconfig({ token }, { server: HIDDEN }), environment);
      await own.get(VERSION);
      const hidden = own.at(HIDDEN.replace('kubernetes.default.svc', '192.0.2.1'), 'kubernetes.default.svc');
      const direct = own.at('https://10.255.255.1:1', 'kubernetes.default.svc');
      clients.push(hidden, direct);
      await hidden.get(VERSION);
      await assert.rejects(direct.get(VERSION, {}, AbortSignal.timeout(300)));
      assert.deepEqual(
        asked.map(({ host }) => host),
        ['kubernetes.default.svc:6443', '192.0.2.1:6443'],
      );
    });
  });
});
