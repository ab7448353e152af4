/**
 * Tests which pods the comparison counts as refused by API servers. The comparison does not examine these pods. If a
 * real API server accepts one of the pods that the comparison leaves out, a proof may be wrong. ACCEPTED=20000 tests
 * 20,000 random pods.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isAccepted } from '../../../analysis/compare/kubernetes.ts';
import { Api } from '../../../hack/controlplane/api.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { createNamespace } from '../../support/harness.ts';
import { contentOf, type Pod, randomPods } from '../../support/random-pods.ts';
import { NAMESPACES } from '../../support/rendered.ts';
import { SEED } from '../../support/seed.ts';

const RUNS = Number(process.env.ACCEPTED ?? 1500);
const NAMESPACE = 'accepted';
const SECCOMP = 'container.seccomp.security.alpha.kubernetes.io/app';
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/app';

const pod = (spec: object, container: object = {}, annotations: object = {}): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'pod', annotations },
    spec: { ...spec, containers: [{ name: 'app', image: 'app', ...container }] },
  }) as unknown as Pod;
const sysctl = (name: string, spec: object = {}) =>
  pod({ ...spec, securityContext: { sysctls: [{ name, value: '1' }] } });
const withContext = (securityContext: object, spec: object = {}) => pod(spec, { securityContext });
const onWindows = (annotation: string) => pod({ os: { name: 'windows' } }, {}, { [APP_ARMOR]: annotation });

const ACCEPTED: Readonly<Record<string, Pod>> = {
  'an unknown name that begins like a sysctl of the IPC namespace': sysctl('kernel.shm_next_id', { hostIPC: true }),
  'a name that begins with kernel.msg': sysctl('kernel.msgz', { hostIPC: true }),
  'a name that begins with kernel.sem': sysctl('kernel.sem_next_id', { hostIPC: true }),
  'a name with another separator after fs': sysctl('fs/mqueue.x', { hostIPC: true }),
  'a sysctl that ends in a digit': sysctl('vm.0'),
  'a sysctl of a VLAN interface': sysctl('net/ipv4/conf/eth0.100/mtu'),
  'an annotation of AppArmor on Windows': onWindows('runtime/default'),
  'an unconfined annotation of AppArmor on Windows': onWindows('unconfined'),
  'a seccomp profile in a folder': withContext({
    seccompProfile: { type: 'Localhost', localhostProfile: 'team/app.json' },
  }),
  'an empty path of a seccomp profile, which names the folder': withContext({
    seccompProfile: { type: 'Localhost', localhostProfile: '' },
  }),
  'an empty path of the seccomp profile of a pod': pod({
    securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: '' } },
  }),
  'an empty path in an annotation of seccomp': pod({}, {}, { [SECCOMP]: 'localhost/' }),
  'a name of an AppArmor profile with dots': withContext({
    appArmorProfile: { type: 'Localhost', localhostProfile: '../x' },
  }),
  'an unmasked /proc in a user namespace': withContext({ procMount: 'Unmasked' }, { hostUsers: false }),
};
const REFUSED: Readonly<Record<string, Pod>> = {
  'a sysctl of the IPC namespace beside hostIPC': sysctl('kernel.shmall', { hostIPC: true }),
  'a sysctl of the message queues beside hostIPC': sysctl('fs/mqueue/x', { hostIPC: true }),
  'a sysctl of the network beside hostNetwork': sysctl('net/ipv4.x', { hostNetwork: true }),
  'a malformed annotation of AppArmor on Windows': onWindows('default'),
  'a seccomp profile outside of its folder': withContext({
    seccompProfile: { type: 'Localhost', localhostProfile: '../app.json' },
  }),
  'an absolute path of a seccomp profile': withContext({
    seccompProfile: { type: 'Localhost', localhostProfile: '/app.json' },
  }),
  'an absolute path in an annotation of seccomp': pod({}, {}, { [SECCOMP]: 'localhost//app.json' }),
  'an empty path beside another type of seccomp profile': withContext({
    seccompProfile: { type: 'RuntimeDefault', localhostProfile: '' },
  }),
  'an empty name of an AppArmor profile': withContext({ appArmorProfile: { type: 'Localhost', localhostProfile: '' } }),
  'a name of an AppArmor profile with a space at its end': withContext({
    appArmorProfile: { type: 'Localhost', localhostProfile: 'app ' },
  }),
  'an unmasked /proc without a user namespace': withContext({ procMount: 'Unmasked' }),
};

describe(`pods that API servers refuse without a policy (SEED=${SEED})`, function () {
  this.timeout(60_000 + RUNS * 100);
  let api: Api;

  before(async () => {
    api = new Api((await sharedControlPlane()).kubeconfig);
    await createNamespace(api, NAMESPACE);
  });

  after(() => api.close());

  async function answer(one: Pod): Promise<string> {
    const body = { ...one, metadata: { ...one.metadata, name: 'pod' } };
    const { status, body: told } = await api.ask('POST', `${NAMESPACES}/${NAMESPACE}/pods`, {
      body,
      query: { dryRun: 'All' },
    });
    return status === 201 ? 'accepted' : `${status} ${told.message}`;
  }

  for (const [title, one] of Object.entries(ACCEPTED)) {
    it(`do not include ${title}`, async () => {
      assert.deepEqual([isAccepted(contentOf(one)), await answer(one)], [true, 'accepted']);
    });
  }

  for (const [title, one] of Object.entries(REFUSED)) {
    it(`include ${title}`, async () => {
      assert.equal(isAccepted(contentOf(one)), false);
      assert.match(await answer(one), /^422 /);
    });
  }

  it(`are refused by the API server: those among ${RUNS} random pods`, async () => {
    const refused = fc.sample(randomPods(), { numRuns: RUNS, seed: SEED }).filter((one) => !isAccepted(contentOf(one)));
    assert.ok(refused.length > RUNS / 20, `${refused.length} pods`);
    const accepted: Pod[] = [];
    for (const one of refused) if ((await answer(one)) === 'accepted') accepted.push(one);
    assert.deepEqual(accepted.map((one) => JSON.stringify(one)).slice(0, 5), []);
  });
});
