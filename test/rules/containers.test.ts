/**
 * Tests overrides in `spec.containers`, for each rule that allows another value for a named container. The tables
 * contain minimal pods. An entry of `spec.containers` for the container `app` admits some of these pods. The entry
 * refuses the other minimal pods. In the policies of the tables, no entry of `spec.containers` names the container
 * `other`.
 */
import assert from 'node:assert/strict';
import type { CapabilityPolicyOverrides, ContainerOverrides } from '../../operator/api/capability-policy.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Level } from '../../operator/standards/level-version.ts';
import { app, ephemeral, init, LINUX, OWN_USERS, secured, WINDOWS } from '../support/pods.ts';
import { resolved } from '../support/policies.ts';

type Fields = Readonly<Record<string, unknown>>;

interface Table {
  readonly level: Level;
  readonly overrides?: CapabilityPolicyOverrides;
  /** The overrides for container `app`. */
  readonly own: ContainerOverrides;
  readonly admits: Readonly<Record<string, PodContent>>;
  /**
   * The refused pods, each with the end of the message about the pod. The end of a message begins after the name of the
   * container or pod.
   */
  readonly refuses: Readonly<Record<string, readonly [PodContent, string]>>;
}

const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';
const add = (...names: string[]) => secured({ capabilities: { add: names, drop: ['ALL'] } });
const onPod = (securityContext: object) => ({ securityContext });
const oci = (ref: string) => ({ type: 'OCI', oci: { ref } });
const unconfined = { type: 'Unconfined' };

/** A pod whose containers `app` and `other` have the same fields. */
function both(fields: Fields, spec: Fields = {}): PodContent {
  return app(fields, { initContainers: [{ name: 'other', ...fields }], ...spec });
}

function annotated(container: string, profile: string, spec: Fields = {}): PodContent {
  return { ...app({}, spec), annotations: { [`${APP_ARMOR}${container}`]: profile } };
}

const TABLES: Readonly<Record<string, readonly Table[]>> = {
  capabilities: [
    {
      level: 'restricted',
      own: { capabilities: { allowedAdd: ['NET_ADMIN'] } },
      admits: { 'the capability': app(add('NET_ADMIN')), 'a container that asks for nothing': app(add()) },
      refuses: {
        "the level's own, which the list replaces": [
          app(add('NET_BIND_SERVICE')),
          'app: must not add capability NET_BIND_SERVICE (allowed: NET_ADMIN), by spec.containers[0]',
        ],
        'a container that keeps what the level drops': [
          app(secured({ capabilities: { add: ['NET_ADMIN'] } })),
          'app: must drop capability ALL in securityContext.capabilities.drop, by spec.containers[0]',
        ],
        'the capability for another container': [
          both(add('NET_ADMIN')),
          'other: must not add capability NET_ADMIN (allowed: NET_BIND_SERVICE)',
        ],
      },
    },
  ],
  'capabilities.allowedBounding': [
    {
      level: 'baseline',
      own: { capabilities: { allowedBounding: [] } },
      admits: { 'a container that drops ALL': app(add()), 'another container': init(secured({}), add()) },
      refuses: {
        "the runtime's default": [
          app(
            secured({
              capabilities: {
                drop: [
                  'SYS_CHROOT',
                  'SETUID',
                  'SETPCAP',
                  'SETGID',
                  'SETFCAP',
                  'NET_RAW',
                  'NET_BIND_SERVICE',
                  'MKNOD',
                  'KILL',
                  'FSETID',
                  'FOWNER',
                  'DAC_OVERRIDE',
                  'CHOWN',
                ],
              },
            }),
          ),
          'app: would hold capability AUDIT_WRITE, drop it or ALL (allowed: none), by spec.containers[0]',
        ],
      },
    },
  ],
  privileged: [
    {
      level: 'baseline',
      own: { privileged: true },
      admits: { 'a privileged container': app(secured({ privileged: true })) },
      refuses: {
        'another one': [both(secured({ privileged: true })), 'other: must not set securityContext.privileged=true'],
      },
    },
  ],
  allowPrivilegeEscalation: [
    {
      level: 'baseline',
      own: { allowPrivilegeEscalation: false },
      admits: { false: app(secured({ allowPrivilegeEscalation: false })), Windows: app({}, WINDOWS) },
      refuses: {
        unset: [both({}), 'app: must set securityContext.allowPrivilegeEscalation=false, by spec.containers[0]'],
      },
    },
  ],
  defaultAllowPrivilegeEscalation: [
    {
      level: 'baseline',
      own: { defaultAllowPrivilegeEscalation: false, privileged: true },
      admits: { 'a container that is not privileged': app({}) },
      refuses: {
        'a privileged one that leaves it unset': [
          app(secured({ privileged: true })),
          'app: must set securityContext.allowPrivilegeEscalation=true: unset means false here, which it cannot be, by spec.containers[0]',
        ],
      },
    },
  ],
  hostProbes: [
    {
      level: 'baseline',
      own: { hostProbes: true },
      admits: { 'a host': app({ livenessProbe: { tcpSocket: { host: 'a' } } }) },
      refuses: {
        'the host of another container': [
          both({ livenessProbe: { tcpSocket: { host: 'a' } } }),
          'other: must not set host in probes or lifecycle handlers',
        ],
      },
    },
  ],
  hostPorts: [
    {
      level: 'baseline',
      own: { hostPorts: [{ min: 80, max: 80 }] },
      admits: { 'the port': app({ ports: [{ containerPort: 80, hostPort: 80 }] }) },
      refuses: {
        'another port': [
          app({ ports: [{ containerPort: 81, hostPort: 81 }] }),
          'app: must not use hostPort 81 (allowed: 80), by spec.containers[0]',
        ],
        'the port for another container': [
          both({ ports: [{ containerPort: 80, hostPort: 80 }] }),
          'other: must not use hostPort 80 (allowed: none)',
        ],
      },
    },
  ],
  runAsNonRoot: [
    {
      level: 'baseline',
      own: { runAsNonRoot: true },
      admits: {
        'the promise of the container': app(secured({ runAsNonRoot: true })),
        'the promise of the pod': app({}, onPod({ runAsNonRoot: true })),
        "the container's promise, against the pod": app(
          secured({ runAsNonRoot: true }),
          onPod({ runAsNonRoot: false }),
        ),
        'a user namespace': app({}, OWN_USERS),
      },
      refuses: {
        'no promise': [
          both({}),
          'app: must run as non-root: set securityContext.runAsNonRoot=true on it or on the pod, by spec.containers[0]',
        ],
        'the opposite of the pod': [
          app({}, onPod({ runAsNonRoot: false })),
          'app: must run as non-root: set securityContext.runAsNonRoot=true on it or on the pod, by spec.containers[0]',
        ],
      },
    },
    {
      level: 'restricted',
      own: { runAsNonRoot: false },
      admits: { 'the opposite': app(secured({ runAsNonRoot: false })), 'no promise': app({}) },
      refuses: {
        'the opposite on the pod': [
          app({}, onPod({ runAsNonRoot: false })),
          'pod: must not set securityContext.runAsNonRoot=false',
        ],
      },
    },
  ],
  runAsUser: [
    {
      level: 'baseline',
      own: { runAsUser: { rule: 'NotZero' } },
      admits: { unset: app({}), "the pod's root, overridden": app(secured({ runAsUser: 1 }), onPod({ runAsUser: 0 })) },
      refuses: {
        root: [
          both(secured({ runAsUser: 0 })),
          'app: must not run as user 0: set securityContext.runAsUser to another user on it or on the pod, by spec.containers[0]',
        ],
        'root from the pod': [
          app({}, onPod({ runAsUser: 0 })),
          'app: must not run as user 0: set securityContext.runAsUser to another user on it or on the pod, by spec.containers[0]',
        ],
      },
    },
    {
      level: 'restricted',
      own: { runAsUser: { rule: 'RunAsAny' } },
      admits: { root: app(secured({ runAsUser: 0 })) },
      refuses: {
        'root on the pod': [app({}, onPod({ runAsUser: 0 })), 'pod: must not set securityContext.runAsUser=0'],
        'another root': [both(secured({ runAsUser: 0 })), 'other: must not set securityContext.runAsUser=0'],
      },
    },
  ],
  runAsGroup: [
    {
      level: 'baseline',
      own: { runAsGroup: { rule: 'MustRunAs', ranges: [{ min: 5, max: 6 }] } },
      admits: { 'the group': app(secured({ runAsGroup: 5 })), "the pod's group": app({}, onPod({ runAsGroup: 6 })) },
      refuses: {
        'another group of the pod': [
          app({}, onPod({ runAsGroup: 7 })),
          'app: must not run as group 7 (allowed: 5-6), by spec.containers[0]',
        ],
      },
    },
  ],
  seccomp: [
    {
      level: 'restricted',
      own: { seccomp: { types: ['Unconfined'], unset: 'Allowed' } },
      admits: {
        'no profile': app({}),
        'the profile on the container': app(secured({ seccompProfile: unconfined })),
      },
      refuses: {
        'the profile on the pod': [
          app({}, onPod({ seccompProfile: unconfined })),
          'pod: must not set securityContext.seccompProfile.type to Unconfined (allowed: RuntimeDefault, Localhost)',
        ],
        "the pod's profile, if the entry does not list it": [
          app({}, onPod({ seccompProfile: { type: 'RuntimeDefault' } })),
          'app: must not get securityContext.seccompProfile.type RuntimeDefault, from itself or the pod (allowed: Unconfined), by spec.containers[0]',
        ],
        'another container without a profile': [
          both({}),
          'other: must set securityContext.seccompProfile.type on it or on the pod (allowed: RuntimeDefault, Localhost)',
        ],
      },
    },
    {
      level: 'baseline',
      own: { seccomp: { types: ['Localhost'], localhostProfiles: ['a/*'], unset: 'Refused' } },
      admits: {
        'a listed profile': app(secured({ seccompProfile: { type: 'Localhost', localhostProfile: 'a/b' } })),
        Windows: app({}, WINDOWS),
      },
      refuses: {
        'another one, from the pod': [
          app({}, onPod({ seccompProfile: { type: 'Localhost', localhostProfile: 'b' } })),
          'app: must not get securityContext.seccompProfile.localhostProfile b, from itself or the pod (allowed: a/*), by spec.containers[0]',
        ],
        'none, on Linux': [
          both({}, LINUX),
          'app: must set securityContext.seccompProfile.type on it or on the pod (allowed: Localhost), by spec.containers[0]',
        ],
      },
    },
    {
      level: 'restricted',
      own: { seccomp: { types: ['OCI'], ociReferences: ['registry.example.com/team/*'] } },
      admits: { 'a listed reference': app(secured({ seccompProfile: oci('registry.example.com/team/a@sha256:b') })) },
      refuses: {
        'the listed reference on the pod, for which other values apply': [
          app({}, onPod({ seccompProfile: oci('registry.example.com/team/a@sha256:b') })),
          'pod: must not set securityContext.seccompProfile.type to OCI (allowed: RuntimeDefault, Localhost)',
        ],
        'another reference': [
          app(secured({ seccompProfile: oci('registry.example.com/team@sha256:b') })),
          'app: must not get securityContext.seccompProfile.oci.ref registry.example.com/team@sha256:b, from itself or the pod (allowed: registry.example.com/team/*), by spec.containers[0]',
        ],
        'a base profile of the node': [
          app(
            secured({
              seccompProfile: {
                type: 'OCI',
                oci: {
                  ref: 'registry.example.com/team/a@sha256:b',
                  baseProfile: { type: 'Localhost', localhostProfile: 'a' },
                },
              },
            }),
          ),
          'app: must not get securityContext.seccompProfile.oci.baseProfile Localhost with a, from itself or the pod (allowed: RuntimeDefault), by spec.containers[0]',
        ],
      },
    },
  ],
  appArmor: [
    {
      level: 'baseline',
      own: { appArmor: { types: ['Unconfined'], unset: 'Allowed' } },
      admits: {
        'the profile on the container': app(secured({ appArmorProfile: unconfined })),
        'its annotation': annotated('app', 'unconfined'),
      },
      refuses: {
        'the profile on the pod': [
          app(secured({ appArmorProfile: unconfined }), onPod({ appArmorProfile: unconfined })),
          'pod: must not set securityContext.appArmorProfile.type to Unconfined (allowed: RuntimeDefault, Localhost)',
        ],
        'the annotation of another container': [
          annotated('other', 'unconfined', { initContainers: [{ name: 'other' }] }),
          `pod: must not have the annotation ${APP_ARMOR}other=unconfined (allowed: RuntimeDefault, Localhost)`,
        ],
        'an annotation that the entry does not list': [
          annotated('app', 'runtime/default'),
          `app: must not have the annotation ${APP_ARMOR}app=runtime/default (allowed: Unconfined), by spec.containers[0]`,
        ],
        "the pod's profile, if the entry does not list it": [
          app({}, onPod({ appArmorProfile: { type: 'RuntimeDefault' } })),
          'app: must not set securityContext.appArmorProfile.type to RuntimeDefault (allowed: Unconfined), by spec.containers[0]',
        ],
      },
    },
  ],
  seLinux: [
    {
      level: 'baseline',
      own: { seLinux: { rule: 'RunAsAny' } },
      admits: { 'any type': app(secured({ seLinuxOptions: { type: 'spc_t' } })) },
      refuses: {
        'any type on the pod': [
          app({}, onPod({ seLinuxOptions: { type: 'spc_t' } })),
          'pod: must not set securityContext.seLinuxOptions to anything but a type of container_t, container_init_t, container_kvm_t, container_engine_t, and no user or role',
        ],
      },
    },
    {
      level: 'privileged',
      own: { seLinux: { rule: 'MustRunAs', options: { type: 'a' } } },
      admits: {
        'the options': app(secured({ seLinuxOptions: { type: 'a' } })),
        "the pod's options": app({}, onPod({ seLinuxOptions: { type: 'a' } })),
      },
      refuses: {
        unset: [both({}), 'app: must set securityContext.seLinuxOptions to exactly {type: a}, by spec.containers[0]'],
      },
    },
  ],
  procMount: [
    {
      level: 'restricted',
      own: { procMount: { types: ['Default', 'Unmasked'] } },
      admits: { 'all of /proc in a user namespace': app(secured({ procMount: 'Unmasked' }), OWN_USERS) },
      refuses: {
        'all of /proc on the node': [
          app(secured({ procMount: 'Unmasked' })),
          'app: must not have securityContext.procMount Unmasked (allowed: Default, Unmasked with hostUsers: false), by spec.containers[0]',
        ],
      },
    },
  ],
  readOnlyRootFilesystem: [
    {
      level: 'baseline',
      own: { readOnlyRootFilesystem: true },
      admits: { true: app(secured({ readOnlyRootFilesystem: true })) },
      refuses: {
        unset: [both({}), 'app: must set securityContext.readOnlyRootFilesystem=true, by spec.containers[0]'],
      },
    },
  ],
};

describe('rules with another value for one container', () => {
  for (const [id, tables] of Object.entries(TABLES)) {
    describe(id, () => {
      for (const table of tables) declare(id, table);
    });
  }

  it('every rule that declares how it applies to one container has a table', () => {
    assert.deepEqual(
      Object.keys(TABLES),
      RULES.filter(({ ofContainer }) => ofContainer).map(({ id }) => id),
    );
  });

  it('count containers of every kind', () => {
    const own = { capabilities: { allowedAdd: ['NET_ADMIN'] } };
    for (const pod of [init(add('NET_ADMIN'), add()), ephemeral(add('NET_ADMIN'), add())]) {
      assert.deepEqual(found('capabilities', { level: 'restricted', own }, pod, ['init', 'debug']), []);
      assert.equal(found('capabilities', { level: 'restricted', own }, pod).length, 1);
    }
  });
});

function declare(id: string, table: Table): void {
  const { level, own, admits, refuses } = table;
  describe(`${level} with ${JSON.stringify(own)} for app`, () => {
    for (const [what, pod] of Object.entries(admits)) {
      it(`admits ${what}`, () => assert.deepEqual(found(id, table, pod), []));
    }
    for (const [what, [pod, expected]] of Object.entries(refuses)) {
      it(`refuses ${what}`, () => assert.deepEqual(found(id, table, pod), [expected]));
    }
  });
}

function found(
  id: string,
  { level, overrides = {}, own }: Pick<Table, 'level' | 'overrides' | 'own'>,
  pod: PodContent,
  names: string[] = ['app'],
): string[] {
  const policy = resolved('table', { level, overrides, containers: [{ names, overrides: own }] });
  return new Evaluator()
    .violations(pod, policy)
    .filter(({ rule }) => rule === id)
    .map(({ container = 'pod', message }) => `${container}: ${message.replace(/^(?:pod|container "[^"]*") /, '')}`);
}
