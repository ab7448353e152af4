import assert from 'node:assert/strict';
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import type { Level } from '../../operator/standards/level-version.ts';
import { app, ephemeral, init, pod, secured, WINDOWS } from '../support/pods.ts';
import { policyOf } from '../support/random-policies.ts';
import { fillAdded, fillCreated, fillsOf } from './fill.ts';

describe('filling writes', () => {
  for (const { title, overrides, level = 'privileged', before, after } of examples()) {
    it(title, () => {
      const fills = fillsOf(policyOf(level, 'latest', overrides));
      const fill = before.spec.ephemeralContainers ? fillAdded : fillCreated;
      assert.deepEqual(fill(before, fills), after);
    });
  }
});

interface Example {
  readonly title: string;
  readonly level?: Level;
  readonly overrides: CapabilityPolicyOverrides;
  readonly before: PodContent;
  readonly after: PodContent;
}

function examples(): Example[] {
  const runtimeDefault = { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } };
  const unconfined = secured({ seccompProfile: { type: 'Unconfined' } });
  const refused: CapabilityPolicyOverrides = { seccomp: { unset: 'Refused' } };
  const caps = (add: string[], drop: string[]) => secured({ capabilities: { add, drop } });
  const lists: CapabilityPolicyOverrides = { capabilities: { requiredDrop: ['MKNOD'], defaultAdd: ['CHOWN', 'KILL'] } };
  const addsOne: CapabilityPolicyOverrides = { capabilities: { defaultAdd: ['CHOWN'] } };
  const noEscalation: CapabilityPolicyOverrides = { allowPrivilegeEscalation: false };
  const ids: CapabilityPolicyOverrides = {
    runAsUser: { rule: 'MustRunAs', ranges: [{ min: 1000, max: 2000 }] },
    runAsGroup: { rule: 'MustRunAs', ranges: [{ min: 100, max: 200 }] },
    fsGroup: { rule: 'MustRunAs', ranges: [{ min: 10, max: 20 }] },
    supplementalGroups: { rule: 'MustRunAs', ranges: [{ min: 1, max: 2 }] },
  };
  const may: CapabilityPolicyOverrides = {
    runAsGroup: { rule: 'MayRunAs', ranges: [{ min: 100, max: 200 }] },
    fsGroup: { rule: 'MayRunAs', ranges: [{ min: 10, max: 20 }] },
    supplementalGroups: { rule: 'MayRunAs', ranges: [{ min: 1, max: 2 }] },
  };
  const unchanged = (title: string, overrides: CapabilityPolicyOverrides, before: PodContent): Example => ({
    title: `nothing ${title}`,
    overrides,
    before,
    after: before,
  });
  return [
    {
      title: 'default capabilities into a list that has room for them',
      overrides: addsOne,
      before: app(caps(Array(83).fill('KILL'), [])),
      after: app(caps([...Array(83).fill('KILL'), 'CHOWN'], [])),
    },
    unchanged('into a list of capabilities without room', addsOne, app(caps(Array(256).fill('KILL'), []))),
    {
      title: 'everything that level restricted requires',
      level: 'restricted',
      overrides: {},
      before: pod(),
      after: app(
        secured({ capabilities: { drop: ['ALL'] }, allowPrivilegeEscalation: false, runAsNonRoot: true }),
        runtimeDefault,
      ),
    },
    {
      title: 'required drops after the existing drops, and default adds except for dropped capabilities',
      overrides: lists,
      before: app(caps(['BPF'], ['KILL'])),
      after: app(caps(['BPF', 'CHOWN'], ['KILL', 'MKNOD'])),
    },
    {
      title: 'default adds beside a drop of ALL, and no other drops',
      overrides: lists,
      before: app(caps([], ['ALL'])),
      after: app(caps(['CHOWN', 'KILL'], ['ALL'])),
    },
    unchanged('if drops and adds exist', lists, app(caps(['KILL', 'CHOWN'], ['MKNOD']))),
    unchanged(
      'of allowPrivilegeEscalation on a privileged container',
      noEscalation,
      app(secured({ privileged: true })),
    ),
    unchanged(
      'of allowPrivilegeEscalation on a container that adds CAP_SYS_ADMIN',
      noEscalation,
      app(caps(['CAP_SYS_ADMIN'], [])),
    ),
    {
      title: 'allowPrivilegeEscalation on a container that adds SYS_ADMIN',
      overrides: noEscalation,
      before: app(caps(['SYS_ADMIN'], [])),
      after: app(secured({ capabilities: { add: ['SYS_ADMIN'], drop: [] }, allowPrivilegeEscalation: false })),
    },
    {
      title: 'a seccomp profile on the pod if a container has no profile',
      overrides: refused,
      before: init(unconfined),
      after: { annotations: {}, spec: { ...init(unconfined).spec, ...runtimeDefault } },
    },
    unchanged('when each container has a seccomp profile', refused, init(unconfined, unconfined)),
    {
      title: 'a seccomp profile on an added container, because the pod already exists',
      overrides: refused,
      before: ephemeral({}),
      after: ephemeral(secured({ seccompProfile: { type: 'RuntimeDefault' } })),
    },
    unchanged(
      'no seccomp profile beside an annotation that differs',
      refused,
      pod({}, { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' }),
    ),
    unchanged('no seccomp profile that needs a name', { seccomp: { types: ['Localhost'], unset: 'Refused' } }, pod()),
    unchanged(
      'no runAsNonRoot if the user is root',
      { runAsNonRoot: true },
      pod({ securityContext: { runAsUser: 0 } }),
    ),
    {
      title: 'runAsNonRoot for MustRunAsNonRoot, if neither runAsNonRoot nor a user is set',
      overrides: { runAsUser: { rule: 'MustRunAsNonRoot' } },
      before: init(secured({ runAsUser: 5 })),
      after: init(secured({ runAsUser: 5 }), secured({ runAsNonRoot: true })),
    },
    {
      title: 'the first minimum of each kind of ID',
      overrides: ids,
      before: pod(),
      after: app(secured({ runAsUser: 1000, runAsGroup: 100 }), {
        securityContext: { fsGroup: 10, supplementalGroups: [1] },
      }),
    },
    unchanged('if the pod sets IDs', ids, {
      annotations: {},
      spec: {
        ...pod().spec,
        securityContext: { runAsUser: 0, runAsGroup: 0, fsGroup: 0, supplementalGroups: [0] },
      },
    }),
    unchanged('if MayRunAs does not need it', may, pod()),
    {
      title: 'Strict as the policy of supplementary groups',
      overrides: { supplementalGroups: { policy: 'Strict' } },
      before: pod({ securityContext: { supplementalGroups: [7] } }),
      after: pod({ securityContext: { supplementalGroups: [7], supplementalGroupsPolicy: 'Strict' } }),
    },
    unchanged(
      'if the pod merges the groups of the image',
      { supplementalGroups: { policy: 'Strict' } },
      pod({ securityContext: { supplementalGroupsPolicy: 'Merge' } }),
    ),
    unchanged('on a pod for Windows', { supplementalGroups: { policy: 'Strict' } }, pod(WINDOWS)),
    {
      title: 'SELinux options on the pod',
      overrides: { seLinux: { rule: 'MustRunAs', options: { type: 'container_t', level: 's0:c1,c2' } } },
      before: pod(),
      after: pod({ securityContext: { seLinuxOptions: { type: 'container_t', level: 's0:c1,c2' } } }),
    },
    {
      title: 'SELinux options on the pod, even if each container has its own options',
      overrides: { seLinux: { rule: 'MustRunAs', options: { type: 'container_t' } } },
      before: app(secured({ seLinuxOptions: { type: 'container_t' } })),
      after: app(secured({ seLinuxOptions: { type: 'container_t' } }), {
        securityContext: { seLinuxOptions: { type: 'container_t' } },
      }),
    },
    {
      title: 'drops by their names beside ALL',
      overrides: { capabilities: { requiredDrop: ['KILL', 'MKNOD'], dropByName: true } },
      before: app(caps([], ['ALL', 'KILL'])),
      after: app(caps([], ['ALL', 'KILL', 'MKNOD'])),
    },
    {
      title: 'allowPrivilegeEscalation with its default',
      overrides: { defaultAllowPrivilegeEscalation: false },
      before: init(secured({ allowPrivilegeEscalation: true })),
      after: init(secured({ allowPrivilegeEscalation: true }), secured({ allowPrivilegeEscalation: false })),
    },
    {
      title: 'allowPrivilegeEscalation: true, too',
      overrides: { defaultAllowPrivilegeEscalation: true },
      before: app(secured({ privileged: true })),
      after: app(secured({ privileged: true, allowPrivilegeEscalation: true })),
    },
    unchanged(
      'of allowPrivilegeEscalation: false on a privileged container',
      { defaultAllowPrivilegeEscalation: false },
      app(secured({ privileged: true })),
    ),
    {
      title: 'the default seccomp profile on the pod, even if each container has a profile',
      overrides: {
        seccomp: {
          types: ['Localhost'],
          default: { type: 'Localhost', localhostProfile: 'a.json' },
          unset: 'RefusedOnPod',
        },
      },
      before: app(secured({ seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' } })),
      after: app(secured({ seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' } }), {
        securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' } },
      }),
    },
    {
      title: 'a default seccomp profile that is not required',
      overrides: { seccomp: { default: { type: 'RuntimeDefault' }, unset: 'Allowed' } },
      before: pod(),
      after: pod(runtimeDefault),
    },
    unchanged('of a seccomp profile on the pod without a default', { seccomp: { unset: 'RefusedOnPod' } }, pod()),
    {
      title: 'the default AppArmor profile on containers without a profile',
      overrides: { appArmor: { default: { type: 'RuntimeDefault' } } },
      before: {
        ...init(secured({ appArmorProfile: { type: 'Unconfined' } })),
        annotations: { 'container.apparmor.security.beta.kubernetes.io/other': 'unconfined' },
      },
      after: {
        ...init(
          secured({ appArmorProfile: { type: 'Unconfined' } }),
          secured({ appArmorProfile: { type: 'RuntimeDefault' } }),
        ),
        annotations: { 'container.apparmor.security.beta.kubernetes.io/other': 'unconfined' },
      },
    },
    unchanged(
      'no AppArmor profile that the pod or an annotation gives',
      { appArmor: { default: { type: 'Localhost', localhostProfile: 'a' } } },
      {
        ...init({}, secured({ appArmorProfile: { type: 'Unconfined' } })),
        annotations: { 'container.apparmor.security.beta.kubernetes.io/init': 'runtime/default' },
      },
    ),
    {
      title: 'readOnlyRootFilesystem and the runtime class',
      overrides: { readOnlyRootFilesystem: true, runtimeClasses: { default: 'gvisor' } },
      before: pod(),
      after: app(secured({ readOnlyRootFilesystem: true }), { runtimeClassName: 'gvisor' }),
    },
    unchanged('if the pod names a runtime class', { runtimeClasses: { default: 'a' } }, pod({ runtimeClassName: 'b' })),
  ];
}
