/**
 * Tests that `npm run try` leaves nothing behind. The command runs the operator beside a cluster, with the rights of
 * the operator's service account.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Api } from '../../hack/controlplane/api.ts';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { reader } from '../docs/pasted.ts';
import { eventually } from '../support/harness.ts';
import { ROOT } from '../support/page.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { OPERATOR_NAMESPACE, OPERATOR_USER } from '../support/rights.ts';
import { snapshot } from './snapshot.ts';

const MAIN = join(ROOT, 'hack', 'try', 'main.ts');
const TEAM = 'shop';
const DEPLOYMENT = `/apis/apps/v1/namespaces/${OPERATOR_NAMESPACE}/deployments/operator`;

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

describe('npm run try', function () {
  this.timeout(300_000);
  let controlPlane: ControlPlane;
  let api: Api;
  let untouched: string[];

  before(async () => {
    controlPlane = await startControlPlane({ quiet: true });
    api = new Api(controlPlane.kubeconfig);
    await api.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: TEAM } });
    await eventually('the defaults of the namespace', () =>
      api.find(`${NAMESPACES}/${TEAM}/configmaps/kube-root-ca.crt`),
    );
    untouched = await snapshot(api);
  });
  after(async () => {
    await api?.close();
    await controlPlane?.stop();
  });

  it('says what to create first', async () => {
    const { code, output } = await ended(start());
    assert.equal(code, 1);
    assert.match(output, /^npm run try: .*not found; first run `kubectl apply -k config\/try`\n$/);
  });

  it('npm run try brings policies into force as the service account, until a signal ends the command', async () => {
    await kubectl('apply', '-k', 'config/try');
    const running = start();
    const all = ended(running);
    const spec = { namespaceSelector: {}, level: 'restricted', mode: 'Enforce', rollout: { soak: '24h' } };
    const policy = {
      apiVersion: 'capabilitypolicy.dev/v1alpha1',
      kind: 'CapabilityPolicy',
      metadata: { name: 'all' },
      spec,
    };
    await eventually('the CRD', async () => (await api.ask('POST', POLICIES, { body: policy })).status === 201);
    await kubectl('wait', '--for=condition=Ready', 'capabilitypolicy/all', '--timeout=60s');
    running.kill('SIGTERM');
    const { code, output } = await all;
    assert.equal(code, 0, output);
    assert.ok(output.includes(`as ${OPERATOR_USER}.`), output);
    assert.match(output, /The operator has ended\. .*--remove` removes everything\.\n$/);
    assert.equal((await team()).metadata.labels['rollout.capabilitypolicy.dev/all'], 'pending');
  });

  it('npm run try changes nothing in a cluster where the operator is installed', async () => {
    const labels = { app: 'operator' };
    const template = {
      metadata: { labels },
      spec: { containers: [{ name: 'operator', image: 'registry.example/o:1' }] },
    };
    const spec = { replicas: 0, selector: { matchLabels: labels }, template };
    await api.apply(DEPLOYMENT, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'operator' }, spec });
    for (const args of [[], ['--remove']]) {
      const { code, output } = await ended(start(...args));
      assert.equal(code, 1);
      assert.match(output, /^npm run try: the operator is installed in this cluster already/);
    }
    await api.remove(DEPLOYMENT);
  });

  it('npm run try with --remove leaves nothing behind, and prints nothing the second time', async () => {
    const { code, output } = await ended(start('--remove'));
    assert.equal(code, 0, output);
    await eventually('the cluster to be as before', async () => {
      return JSON.stringify(await snapshot(api)) === JSON.stringify(untouched);
    }).catch(async (error: Error) => {
      assert.deepEqual(await snapshot(api), untouched, error.message);
    });
    assert.deepEqual(await ended(start('--remove')), { code: 0, output: '' });
  });

  function start(...args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [MAIN, ...args], { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  }

  async function ended(child: ChildProcess): Promise<Ran> {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => (output += text));
    const [code] = await once(child, 'close');
    return { code, output };
  }

  async function kubectl(...args: readonly string[]): Promise<void> {
    const child = spawn(controlPlane.kubectl, args, { cwd: ROOT, env: environment() });
    const { code, output } = await ended(child);
    assert.equal(code, 0, output);
  }

  /** An environment with a temporary folder as HOME, because kubectl writes its caches to HOME. */
  function environment(): NodeJS.ProcessEnv {
    return { ...reader(controlPlane), HOME: controlPlane.dir };
  }

  function team() {
    return api.get(`${NAMESPACES}/${TEAM}`);
  }
});
