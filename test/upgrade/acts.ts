/**
 * Tests a simulated rolling upgrade. The upgrade begins with only an older API server. A newer API server joins on the
 * same etcd. At the end, only the newer API server remains. During the whole upgrade, the test sends pods to each API
 * server, even while the API server starts and stops.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { load } from 'js-yaml';
import { Api, type Json } from '../../hack/controlplane/api.ts';
import { kubernetesVersion } from '../../hack/controlplane/binaries.ts';
import { type ControlPlane, startControlPlane } from '../../hack/controlplane/controlplane.ts';
import { COLLECTIONS, MANAGED } from '../../hack/controlplane/rendered.ts';
import { offers } from '../../operator/standards/server-features.ts';
import { letEverybodyCreate } from '../psp/creation.ts';
import { CREATOR, conditionOf, eventually, installCrd, isProgrammed } from '../support/harness.ts';
import { OperatorProcess } from '../support/operator-process.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { CONFIG, grantRights, OPERATOR_NAMESPACE, operatorKubeconfig } from '../support/rights.ts';
import { findOlderApiServer, OLDER } from './apiserver.ts';
import { Balancer } from './balancer.ts';
import { ADDRESSES } from './network.ts';
import { NET, pods, SHOP } from './pods.ts';
import { Prober } from './prober.ts';

const NEWER = Number(kubernetesVersion().split('.')[1]);
const PORT = 6443;
const [OLD, NEW] = [
  { name: `1.${OLDER}`, url: `https://${ADDRESSES[0]}:${PORT}` },
  { name: `1.${NEWER}`, url: `https://${ADDRESSES[1]}:${PORT}` },
];
const SAMPLES = ['restricted', 'ping', 'audit-everything'];
/** The names of the programs that the sample policies need, including the guard. */
const PROGRAMS = ['audit', 'enforce', 'guard'].map((kind) => `capabilitypolicy.${kind}`);
/**
 * A time in ms within which the operator looks up the list of API servers twice. The operator looks up the list every
 * ten seconds.
 */
const TWO_LOOKS_MS = 22_000;
const ENFORCED_VERSION = 'pod-security.kubernetes.io/enforce-version';

describe(`an upgrade from Kubernetes ${OLD.name} to ${NEW.name}`, function () {
  this.timeout(180_000);
  /**
   * The version that `latest` means, as N of Kubernetes 1.N. If both the old and the new version are correct at the
   * moment, the value is undefined.
   */
  let latest: number | undefined = OLDER;
  const prober = new Prober(pods(() => latest));
  let controlPlane: ControlPlane;
  let balancer: Balancer;
  let api: Api;
  let operator: OperatorProcess;

  before(async function () {
    this.timeout(900_000);
    const older = { program: await findOlderApiServer(), address: ADDRESSES[0], port: PORT };
    // The control plane has no nodes and no controllers. The test itself creates the objects that a controller would
    // create.
    const apiServerFlags = ['--endpoint-reconciler-type=lease'];
    controlPlane = await startControlPlane({ quiet: true, controllers: false, apiServers: [older], apiServerFlags });
    balancer = await Balancer.start();
    balancer.targets = [OLD.url];
    api = new Api(controlPlane.kubeconfigFor('administrator', ['system:masters'], balancer.url));
    for (const [name, labels] of [
      [SHOP, { environment: 'production' }],
      [NET, { team: 'network' }],
    ] as const) {
      await api.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
      await api.create(`${NAMESPACES}/${name}/serviceaccounts`, account);
    }
    await installCrd(api);
    await letEverybodyCreate(api);
    await grantRights(api);
    const kubeconfig = operatorKubeconfig(controlPlane, balancer.url);
    operator = new OperatorProcess(['--kubeconfig', kubeconfig, '--operator-namespace', OPERATOR_NAMESPACE]);
    await operator.startAndWatch();
  });

  after(async () => {
    for (const { name } of [OLD, NEW]) await prober.stop(name);
    await operator?.stop();
    await api?.close();
    await balancer?.stop();
    await controlPlane?.stop();
    for (const line of prober.summary()) console.log(`    ${line}`);
  });

  afterEach(function () {
    if (this.currentTest?.isFailed()) console.log(`the end of the operator's log:\n${operator?.logEnd()}`);
  });

  it(`begins with ${OLD.name} alone: policies come into force, and latest is v${OLD.name}`, async () => {
    for (const sample of SAMPLES) {
      const policy = load(readFileSync(join(CONFIG, 'samples', `${sample}.yaml`), 'utf8')) as Json;
      await api.apply(`${POLICIES}/${sample}`, policy);
    }
    await inForceOn(1);
    await assertVersion(OLDER);
    await assertFormFor(OLDER);
    ask(OLD);
    await answered(OLD.name);
  });

  it(`goes on with ${NEW.name} beside it: policies are in force on both, and latest stays`, async () => {
    ask(NEW);
    assert.equal(await controlPlane.addApiServer({ address: ADDRESSES[1], port: PORT }), NEW.url);
    balancer.targets = [OLD.url, NEW.url];
    await inForceOn(2);
    await assertVersion(OLDER);
    await sleep(TWO_LOOKS_MS);
    await inForceOn(2);
    await assertVersion(OLDER);
    await assertFormFor(OLDER);
    await answered(NEW.name);
  });

  it(`ends with ${NEW.name} alone: policies stay in force, and latest becomes v${NEW.name}`, async () => {
    latest = undefined;
    balancer.targets = [NEW.url];
    await controlPlane.stopApiServer(OLD.url);
    await prober.stop(OLD.name);
    await inForceOn(1);
    await eventually(
      `version v1.${NEWER}`,
      async () => (await versions()).every((one) => one === `v1.${NEWER}`),
      60_000,
    );
    await inForceOn(1);
    await assertVersion(NEWER);
    await assertFormFor(NEWER);
    latest = NEWER;
    await answered(NEW.name);
  });

  it('during the upgrade, no violating pod is admitted, and no compliant pod is refused', () => {
    assert.deepEqual(prober.surprises, []);
  });

  function ask({ name, url }: typeof OLD): void {
    prober.start(name, controlPlane.kubeconfigFor(CREATOR.user, CREATOR.groups, url));
  }

  /** Waits until an API server has answered each probe at least ten more times. */
  async function answered(name: string): Promise<void> {
    const before = prober.rounds(name);
    await eventually(`answers of ${name}`, async () => prober.rounds(name) >= before + 10, 30_000);
  }

  async function inForceOn(servers: number): Promise<void> {
    const says = new RegExp(`is in force on ${servers} of ${servers} API servers`);
    for (const sample of SAMPLES) {
      let last: Json;
      const look = async () => {
        last = await api.get(`${POLICIES}/${sample}`);
        return isProgrammed(last) && says.test(conditionOf(last, 'Programmed')?.message ?? '');
      };
      await eventually(`${sample} to be in force on ${servers}`, look, 60_000).catch((error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify(conditionOf(last, 'Programmed'))}`);
      });
    }
  }

  /** The versions of the Standards in force, according to the policies' status and the labels. */
  async function versions(): Promise<string[]> {
    const policies = await Promise.all(SAMPLES.map((sample) => api.get(`${POLICIES}/${sample}`)));
    const { metadata } = await api.get(`${NAMESPACES}/${SHOP}`);
    const accepted = policies.map((policy) => conditionOf(policy, 'Accepted')?.message.match(/v1\.\d+/)?.[0] ?? '');
    return [...accepted, metadata.labels[ENFORCED_VERSION]];
  }

  /**
   * Asserts the form of all admission policies, including the guard. If every API server can compile variables without
   * a crash, all admission policies must have variables. If variables would crash one of the API servers, every
   * admission policy must be without variables.
   */
  async function assertFormFor(minor: number): Promise<void> {
    const objects = await api.list(COLLECTIONS.ValidatingAdmissionPolicy ?? '', MANAGED);
    const withVariables = objects.filter(({ spec }) => spec.variables !== undefined);
    const wanted = offers(minor, 'admissionVariables') ? objects : [];
    const names = (some: Json[]) => some.map(({ metadata }) => metadata.name).sort();
    assert.deepEqual(names(objects), PROGRAMS);
    assert.deepEqual(names(withVariables), names(wanted));
  }

  async function assertVersion(minor: number): Promise<void> {
    assert.deepEqual(
      await versions(),
      [...SAMPLES, SHOP].map(() => `v1.${minor}`),
    );
  }
});
