/**
 * Compares the capabilities in the output of `cappol explain -f` with the kernel's report about the same containers on
 * a real node.
 */
import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import { NODE_NEEDS } from '../../hack/node/needs.ts';
import { NODE_NAME } from '../../hack/node/node.ts';
import { bitsOfThisMachine, type ProcessStatus, statusIn } from '../kernel/containers.ts';
import { maskOf } from '../support/capability-masks.ts';
import { cappol } from '../support/cappol.ts';
import { eventually } from '../support/harness.ts';
import { describeWith } from '../support/needs.ts';
import { NAMESPACES } from '../support/rendered.ts';
import { type Ran, useNode } from './cluster.ts';
import { nameOf, type PodOptions, pod } from './pods.ts';

const USER = { runAsUser: 1000 };
const NO_ESCALATION = { allowPrivilegeEscalation: false };
const ONLY_NET_RAW = { capabilities: { drop: ['ALL'], add: ['NET_RAW'] } };
/** A copy of grep. The file of this copy has NET_RAW as a permitted capability, but not as an effective capability. */
const GRANTED = { program: '/bin/grep-permitted', gains: ['NET_RAW'] };

interface Context {
  readonly securityContext?: Json;
  readonly spec?: Json;
  readonly program?: string;
  /** The capabilities of the program's file. */
  readonly gains?: readonly string[];
}

const CONTEXTS: Readonly<Record<string, Context>> = {
  'root, by default': {},
  'root, with no-new-privileges': { securityContext: NO_ESCALATION },
  'another user': { securityContext: USER },
  'another user, with no-new-privileges': { securityContext: { ...USER, ...NO_ESCALATION } },
  'another user of the pod, and seccomp of the runtime': {
    spec: { securityContext: { ...USER, seccompProfile: { type: 'RuntimeDefault' } } },
  },
  'root, drop ALL': { securityContext: { capabilities: { drop: ['ALL'] } } },
  'root, drop ALL and add NET_RAW': { securityContext: ONLY_NET_RAW },
  'another user, drop ALL and add NET_RAW': { securityContext: { ...USER, ...ONLY_NET_RAW } },
  'another user with a file capability': { securityContext: { ...USER, ...ONLY_NET_RAW }, ...GRANTED },
  'another user with a file capability and no-new-privileges': {
    securityContext: { ...USER, ...ONLY_NET_RAW, ...NO_ESCALATION },
    ...GRANTED,
  },
  'root, add NET_ADMIN and drop MKNOD': { securityContext: { capabilities: { add: ['NET_ADMIN'], drop: ['MKNOD'] } } },
  'root, add ALL but NET_RAW': { securityContext: { capabilities: { add: ['ALL'], drop: ['NET_RAW'] } } },
  'root, names in small letters': { securityContext: { capabilities: { add: ['net_raw'], drop: ['all'] } } },
  'root, a name with CAP_': { securityContext: { capabilities: { add: ['CAP_NET_RAW'], drop: ['ALL'] } } },
  privileged: { securityContext: { privileged: true } },
  'privileged, another user': { securityContext: { privileged: true, ...USER } },
};
const TITLES = Object.keys(CONTEXTS);

interface Held extends ProcessStatus {
  readonly seccomp: number;
}

describeWith(NODE_NEEDS, '/proc/1/status on a node equals the output of cappol explain', () => {
  const cluster = useNode();
  const ran = new Map<string, Promise<Ran>>();
  let explained: Json[];
  let namespace: string;

  before(async () => {
    namespace = await cluster.namespace('contexts');
    const pods = TITLES.map(podOf);
    for (const [index, title] of TITLES.entries()) ran.set(title, cluster.run(namespace, pods[index]));
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: pods });
    explained = JSON.parse((await cappol(['explain', '-f', '-', '-o', 'json'], list)).stdout).items;
    await Promise.allSettled(ran.values());
  });

  for (const [index, title] of TITLES.entries()) {
    it(title, async () => {
      const { output } = await (ran.get(title) as Promise<Ran>);
      assert.deepEqual(heldIn(output), expected(CONTEXTS[title] as Context, explained[index].containers[0]));
    });
  }

  it('containers in a user namespace, if the runtime supports user namespaces', async () => {
    const { status } = await cluster.api.get(`/api/v1/nodes/${NODE_NAME}`);
    const able = status.runtimeHandlers?.some(({ features }: Json) => features?.userNamespaces);
    const own = pod('user-namespace', { ...options({}), spec: { hostUsers: false } });
    if (able) {
      const { output } = await cluster.run(namespace, own);
      const list = JSON.stringify(own);
      const [{ containers }] = JSON.parse((await cappol(['explain', '-f', '-', '-o', 'json'], list)).stdout).items;
      assert.deepEqual(heldIn(output), expected({}, containers[0]));
      return;
    }
    await cluster.api.create(`${NAMESPACES}/${namespace}/pods`, own);
    await eventually('kubelet to say that it cannot', async () => {
      const events = await cluster.api.list(`${NAMESPACES}/${namespace}/events`);
      return events.some(({ involvedObject, message }) => {
        return involvedObject.name === 'user-namespace' && /user ?namespace/i.test(message);
      });
    });
  });
});

function podOf(title: string): Json {
  return pod(nameOf(title), options(CONTEXTS[title] as Context));
}

function options({ program = '/bin/grep', securityContext, spec }: Context): PodOptions {
  const command = [program, '-E', '^(Uid|Cap|NoNewPrivs|Seccomp)', '/proc/1/status'];
  return { command, ...(securityContext && { securityContext }), ...(spec && { spec }) };
}

/** @param container the container in the output of `cappol explain` */
function expected({ securityContext = {}, spec, gains = [] }: Context, container: Json): Held {
  const uid = container.uid ?? 0;
  const { holdings } = container.runtimes.find(({ runtime }: Json) => runtime === 'containerd');
  const held = holdings.find(
    ({ root, noNewPrivileges }: Json) => root === (uid === 0) && noNewPrivileges === container.noNewPrivileges,
  );
  const gained = gains.filter((name) => held.fileCapabilities.entrypoint.includes(name));
  return {
    uid,
    noNewPrivileges: container.noNewPrivileges,
    // The value 2 means that the runtime's seccomp profile filters system calls. The output of `cappol explain` does
    // not show system call filters.
    seccomp: (securityContext.seccompProfile ?? spec?.securityContext?.seccompProfile) ? 2 : 0,
    // No runtime sets inheritable capabilities.
    inheritable: 0n,
    ambient: 0n,
    bounding: onThisMachine(held.bounding),
    permitted: onThisMachine([...held.permitted, ...gained]),
    effective: onThisMachine(held.effective),
  };
}

/**
 * The mask of the capabilities that this machine can give. The root user of the machine can give only its own
 * capabilities to a container.
 */
function onThisMachine(names: readonly string[]): bigint {
  return maskOf([...new Set(names)]) & bitsOfThisMachine();
}

function heldIn(text: string): Held {
  return { ...statusIn(text), seccomp: Number(/^Seccomp:\s*(\d)/m.exec(text)?.[1]) };
}
