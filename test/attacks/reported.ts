/**
 * Attempts that exploited faults. A first attack on a real API server found these faults. The API server admitted each
 * of these pods until the fault was fixed.
 */
import assert from 'node:assert/strict';
import type { Json } from '../../hack/controlplane/api.ts';
import { serviceAccount } from '../support/harness.ts';
import { privilegedPod, restrictedPod } from '../support/pod-manifests.ts';
import { type Attack, admitted, create, createIn, debug, refusedBy } from './attack.ts';
import { AGENT, agentPod, pod, RESTRICTED } from './settings.ts';

const TRACING = { ...RESTRICTED, capabilities: { drop: ['ALL'], add: ['SYS_PTRACE'] } };
/** The number of repetitions of a race between two requests. */
const RACES = 10;
const WRITES_LOGS = { volumeMounts: [{ name: 'logs', mountPath: '/logs' }] };

/** A container that adds one capability, and otherwise complies with the level restricted. */
function capable(name: string): object {
  return { securityContext: { ...RESTRICTED, capabilities: { drop: ['ALL'], add: [name] } } };
}

const wholePod = agentPod();
wholePod.spec.containers[0].securityContext.capabilities.add = ['SYS_PTRACE'];

export const REPORTED: readonly Attack[] = [
  {
    attempt: 'asks for capabilities that two policies each admit by half',
    setting: 'halves',
    steps: [create(wholePod)],
    expect: refusedBy(['base', 'agent'], /hostPID/),
  },
  {
    attempt: 'adds to a pod of one policy an ephemeral container of another: SYS_PTRACE beside hostPID',
    setting: 'halves',
    steps: [create(agentPod()), debug({ securityContext: TRACING })],
    expect: refusedBy('base', /hostPID/),
  },
  {
    attempt: 'mounts a read-only hostPath for writing in an ephemeral container',
    setting: 'halves',
    steps: [create(agentPod()), debug({ securityContext: RESTRICTED, ...WRITES_LOGS })],
    expect: refusedBy(['base', 'agent'], /readOnly: true/),
  },
  {
    attempt: 'adds the same as the account that may use the exception',
    setting: 'halves',
    steps: [
      create(agentPod()),
      debug({ securityContext: TRACING, ...WRITES_LOGS }, { as: serviceAccount('attacks-halves', AGENT) }),
    ],
    expect: refusedBy(['base', 'agent'], /SYS_PTRACE/),
  },
  {
    attempt: 'adds an ephemeral container that the policy of the pod admits',
    setting: 'halves',
    steps: [create(agentPod()), debug({ securityContext: RESTRICTED })],
    expect: admitted('the policy admits the pod with it, and the account of the pod may use it'),
  },

  {
    attempt: 'adds first SYS_PTRACE and then NET_RAW, which two policies admit',
    setting: 'pairs',
    steps: [create(restrictedPod()), debug(capable('SYS_PTRACE')), debug({ name: 'later', ...capable('NET_RAW') })],
    expect: refusedBy(['tracing', 'pinging'], /SYS_PTRACE[^|]*\|[^|]*NET_RAW|NET_RAW[^|]*\|[^|]*SYS_PTRACE/),
  },
  {
    attempt: `adds SYS_PTRACE and NET_RAW to ${RACES} pods at the same moment`,
    setting: 'pairs',
    steps: [
      async (scene) => {
        let both = 0;
        for (let i = 0; i < RACES; i++) {
          const one = { ...scene, pod: `${scene.pod}-${i}` };
          await create(restrictedPod())(one);
          const adding = [debug(capable('SYS_PTRACE')), debug({ name: 'other', ...capable('NET_RAW') })];
          const answers = await Promise.all(adding.map((add) => add(one)));
          if (answers.every(({ status }) => status === 200)) both++;
        }
        return { status: 200, body: { both }, warnings: [] };
      },
    ],
    expect: {
      title: 'at most one is admitted',
      verify: ({ body }) => assert.equal(body.both, 0),
    },
  },

  ...['ſYS_ADMIN', 'SYS_ADMıN', 'CAP_ſYS_ADMIN', 'ＳＹＳ_ＡＤＭＩＮ', 'ALL\u200b', 'AL\u017f'].flatMap(
    (name): Attack[] => [
      {
        attempt: `adds ${JSON.stringify(name)}, whose upper case is another name`,
        setting: 'bounded',
        steps: [create(bounded({ add: [name] }))],
        expect: refusedBy('bounded', /capabilit/),
      },
    ],
  ),

  ...(
    [
      ['seccomp', 'a seccomp profile Unconfined', {}, /seccomp/],
      ['apparmor', 'an AppArmor profile Unconfined', {}, /appArmor/],
      ['selinux', 'the SELinux type spc_t', {}, /seLinux/],
      ['root', 'user 0', {}, /runAsUser/],
      ['windows', 'a Windows HostProcess', {}, /hostProcess/],
    ] as const
  ).map(
    ([older, what, container, why]): Attack => ({
      attempt: `lets an ephemeral container inherit ${what} from a pod that is older than the policy`,
      setting: 'older',
      steps: [debug(container, { pod: older })],
      expect: refusedBy('older', why),
    }),
  ),

  {
    attempt: 'sets an AppArmor annotation without a value where a profile must be set',
    setting: 'profiled',
    steps: [create(pod({}, { annotations: { 'container.apparmor.security.beta.kubernetes.io/main': '' } }))],
    expect: refusedBy('profiled', /appArmor/),
  },
  {
    attempt: 'prevents defaulting by an AppArmor annotation without a value, where a profile must be set',
    setting: 'filled',
    steps: [create(pod({}, { annotations: { 'container.apparmor.security.beta.kubernetes.io/main': '' } }))],
    expect: refusedBy('filled', /appArmor/),
  },
  {
    attempt: 'claims to be the image of a static pod without being a node',
    setting: 'narrow',
    steps: [
      create(pod({ nodeName: 'node', hostPID: true }, { annotations: { 'kubernetes.io/config.mirror': 'hash' } })),
    ],
    expect: refusedBy('narrow', /hostPID/),
  },
  ...['gke-mine', 'openshift-mine'].map(
    (name): Attack => ({
      attempt: `makes the namespace ${name}, which is excluded only on another platform`,
      setting: 'narrow',
      steps: [createIn(name, privilegedPod())],
      expect: refusedBy('narrow', /privileged/),
    }),
  ),
];

function bounded(capabilities: object): Json {
  return pod({ containers: [{ name: 'main', image: 'example.org/app', securityContext: { capabilities } }] });
}
