/**
 * Tests the tutorial's story inside Kubernetes. The programs of the tutorial run in pods of a real node, under real
 * policies.
 */
import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import { NODE_ADDRESS } from '../../hack/node/configuration.ts';
import { NODE_NEEDS } from '../../hack/node/needs.ts';
import { describeWith } from '../support/needs.ts';
import { type Ran, useNode } from './cluster.ts';
import { nameOf, pod, RESTRICTED } from './pods.ts';

const TO = ['-c', '1', NODE_ADDRESS];
const PINGED = /1 packets transmitted, 1 received/;
const NO_SOCKET = /socket: Operation not permitted/;
const NET_RAW = { ...RESTRICTED, capabilities: { drop: ['ALL'], add: ['NET_RAW'] } };
const ESCALATING = { ...NET_RAW, allowPrivilegeEscalation: true };
const GROUPS = { securityContext: { sysctls: [{ name: 'net.ipv4.ping_group_range', value: '0 2147483647' }] } };

/**
 * Pods that the policy admits, with the output of ping in each pod. The policy has the level restricted and allows
 * NET_RAW.
 */
const ROWS: readonly { title: string; pod: Json; output: RegExp }[] = [
  row('fails without a capability', NO_SOCKET, ['/bin/ping'], RESTRICTED),
  row('fails with NET_RAW for a user who is not root', NO_SOCKET, ['/bin/ping'], NET_RAW),
  row('works with NET_RAW and a file capability', PINGED, ['/bin/ping-permitted'], NET_RAW),
  row('fails with a file capability that the container does not hold', NO_SOCKET, ['/bin/ping-permitted'], RESTRICTED),
  row(
    'does not start with an effective one that the container does not hold',
    /operation not permitted/,
    ['/bin/ping-effective'],
    RESTRICTED,
  ),
  row('works with an effective one that the container holds', PINGED, ['/bin/ping-effective'], NET_RAW),
  row(
    'fails below a shell, because of no-new-privileges',
    NO_SOCKET,
    ['/bin/sh', '-c', 'ping-permitted "$@"', 'sh'],
    NET_RAW,
  ),
  row('works with the sysctl, and no capability', PINGED, ['/bin/ping'], RESTRICTED, GROUPS),
];

/**
 * Pods that the policy refuses. The policy has the level restricted and allows NET_RAW. To show why the policy refuses
 * these pods, the test runs the pods in a namespace without policies.
 */
const BEYOND: typeof ROWS = [
  row('works with the set-user-ID bit', PINGED, ['/bin/ping-setuid'], ESCALATING),
  row(
    'works below a shell, with a file capability',
    PINGED,
    ['/bin/sh', '-c', 'ping-permitted "$@"', 'sh'],
    ESCALATING,
  ),
];

describeWith(NODE_NEEDS, 'ping in a pod', () => {
  const cluster = useNode();
  const namespaces = { ruled: 'story', free: 'story-free', restricted: 'story-restricted' };
  const ran = new Map<string, Promise<Ran>>();

  before(async () => {
    for (const name of Object.values(namespaces)) await cluster.namespace(name);
    const capabilities = { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] };
    const restricted = { level: 'restricted', mode: 'Enforce' } as const;
    await Promise.all([
      cluster.policy('story', namespaces.ruled, { ...restricted, overrides: { capabilities } }),
      cluster.policy('story-restricted', namespaces.restricted, restricted),
    ]);
    // The test runs all pods at the same time, because each pod spends most of its time waiting.
    for (const { title, pod } of ROWS) ran.set(title, cluster.run(namespaces.ruled, pod));
    for (const { title, pod } of BEYOND) ran.set(title, cluster.run(namespaces.free, pod));
    await Promise.allSettled(ran.values());
  });

  for (const { title, output } of [...ROWS, ...BEYOND]) {
    it(title, async () => {
      const found = await (ran.get(title) as Promise<Ran>);
      assert.match(found.output, output);
      assert.equal(found.exitCode === 0, output === PINGED);
    });
  }

  for (const { title, pod } of BEYOND) {
    it(`is refused by the policy if it ${title}`, async () => {
      const refused = /CapabilityPolicy story: .*must set securityContext.allowPrivilegeEscalation=false/;
      await assert.rejects(cluster.run(namespaces.ruled, pod), refused);
    });
  }

  it('is refused with NET_RAW by the level restricted', async () => {
    const [, pinging] = ROWS;
    await assert.rejects(cluster.run(namespaces.restricted, pinging?.pod), /must not include "NET_RAW"/);
  });
});

function row(title: string, output: RegExp, program: readonly string[], securityContext: object, spec: object = {}) {
  return { title, output, pod: pod(nameOf(title), { command: [...program, ...TO], securityContext, spec }) };
}
