/** Tests comparisons of two sets of policies. Each interaction has its own case. */
import assert from 'node:assert/strict';
import { compare } from '../../analysis/compare/compare.ts';
import { isAccepted, isAcceptedFilled } from '../../analysis/compare/kubernetes.ts';
import { DEFAULT_LIMIT } from '../../analysis/compare/limits.ts';
import { compared, type Spec, type Specs, setOf } from './sets.ts';

interface Case {
  readonly old: Specs;
  readonly now: Specs;
  /** The first rule of each difference, in any order. */
  readonly opens?: readonly string[];
  readonly closes?: readonly string[];
}

const overrides = (overrides: Spec['overrides'], spec: Spec = {}): Specs => ({ one: { ...spec, overrides } });
const baseline = (overrides: Spec['overrides']): Specs => ({ one: { level: 'baseline', overrides } });
const unknown = (...allowedUnknownFields: string[]): Spec => ({
  level: 'baseline',
  overrides: { allowedUnknownFields },
});
const inUserNamespace = (types: ('Default' | 'Unmasked')[]): Spec => ({
  level: 'baseline',
  overrides: { userNamespaces: 'Required', procMount: { types } },
});
const SYSCTLS = { allowed: ['vm.swappiness'] };
const bounded = { allowedAdd: [], allowedBounding: ['CHOWN', 'KILL'] };
const network = (spec: Spec): Specs => ({ all: {}, one: { overrides: { hostNetwork: true }, ...spec } });
const forSubject = (kind: 'Group' | 'User', name: string): Specs =>
  network({ usableBy: 'Subjects', subjects: [{ kind, name }] });
const FOR_WEB = network({
  usableBy: 'Subjects',
  subjects: [{ kind: 'ServiceAccount', namespace: 'shop', name: 'web' }],
});
/** Policies that each allow one more capability to the container `a`. */
const adding = (...sets: string[][]): Specs =>
  Object.fromEntries(
    sets.map((allowedAdd, i) => [
      `policy-${i}`,
      { level: 'baseline', containers: [{ names: ['a'], overrides: { capabilities: { allowedAdd } } }] } as Spec,
    ]),
  );
/** Policies that each allow a range of user IDs to the container `a`. */
const runningAs = (...ranges: [number, number][]): Specs =>
  Object.fromEntries(
    ranges.map(([min, max], i) => [
      `policy-${i}`,
      {
        level: 'baseline',
        containers: [{ names: ['a'], overrides: { runAsUser: { rule: 'MustRunAs', ranges: [{ min, max }] } } }],
      } as Spec,
    ]),
  );
/** Policies that each allow some sysctls. */
const sysctlsOf = (...sets: string[][]): Specs =>
  Object.fromEntries(
    sets.map((allowed, i) => [`policy-${i}`, { level: 'baseline', overrides: { sysctls: { allowed } } }]),
  );
/** Policies that each allow some supplemental groups. */
const groupsOf = (...sets: number[][]): Specs =>
  Object.fromEntries(
    sets.map((ids, i) => {
      const ranges = ids.map((id) => ({ min: id, max: id }));
      return [`policy-${i}`, { level: 'baseline', overrides: { supplementalGroups: { rule: 'MayRunAs', ranges } } }];
    }),
  );
/** The items, without one item in each list. */
const lackingOne = <Item>(items: readonly Item[]): Item[][] =>
  items.map((one) => items.filter((other) => other !== one));
const SYSCTL_NAMES = ['vm.a', 'vm.b', 'vm.c', 'vm.d'];
const GROUP_IDS = [10, 20, 30, 40];
const ADDED = ['NET_ADMIN', 'SYS_TIME', 'SYS_PTRACE', 'BPF'];
const users = (...names: string[]) => names.map((name) => ({ kind: 'User' as const, name }));

/**
 * The old set has one exception for the field `host`, and one exception for sysctls. The new set also has an exception
 * with the field `host` and with sysctls.
 */
function bothBeside(host: 'hostNetwork' | 'hostIPC', ...allowed: string[]): Pick<Case, 'old' | 'now'> {
  const [ofHost, ofSysctls] = [{ [host]: true }, { sysctls: { allowed } }];
  const old: Specs = {
    host: { level: 'baseline', overrides: ofHost },
    sysctls: { level: 'baseline', overrides: ofSysctls },
  };
  return { old, now: { ...old, both: { level: 'baseline', overrides: { ...ofHost, ...ofSysctls } } } };
}

const CASES: Readonly<Record<string, Case>> = {
  'the same policy under another name': { old: { one: {} }, now: { two: {} } },
  'a list in another order': {
    old: overrides({ capabilities: { allowedAdd: ['CHOWN', 'KILL'] } }),
    now: overrides({ capabilities: { allowedAdd: ['KILL', 'CHOWN'] } }),
  },
  'two adjacent ranges instead of one': {
    old: overrides({ runAsUser: { rule: 'MustRunAs', ranges: [{ min: 1, max: 9 }] } }),
    now: overrides({
      runAsUser: {
        rule: 'MustRunAs',
        ranges: [
          { min: 1, max: 5 },
          { min: 6, max: 9 },
        ],
      },
    }),
  },
  'a range that ends one later': {
    old: overrides({ runAsUser: { rule: 'MustRunAs', ranges: [{ min: 1000, max: 2000 }] } }),
    now: overrides({ runAsUser: { rule: 'MustRunAs', ranges: [{ min: 1000, max: 2001 }] } }),
    opens: ['runAsUser'],
  },
  'a range with a hole': {
    old: overrides({ fsGroup: { rule: 'MayRunAs', ranges: [{ min: 1, max: 9 }] } }),
    now: overrides({
      fsGroup: {
        rule: 'MayRunAs',
        ranges: [
          { min: 1, max: 4 },
          { min: 6, max: 9 },
        ],
      },
    }),
    closes: ['fsGroup'],
  },
  'a prefix of sysctls, and the other spelling of a forbidden one': {
    old: overrides({ sysctls: { allowed: ['*'], forbidden: ['net.ipv4.*'] } }),
    now: overrides({ sysctls: { allowed: ['*'], forbidden: ['net/ipv4/*', 'kernel.*'] } }),
    closes: ['sysctls'],
  },
  // The API server refuses network sysctls in pods with hostNetwork, and IPC sysctls in pods with hostIPC.
  'a sysctl of the network beside hostNetwork': bothBeside('hostNetwork', 'net.ipv4.ip_forward'),
  'a sysctl of the node after one of the network, beside hostNetwork': {
    ...bothBeside('hostNetwork', 'net.ipv4.ip_forward', 'vm.swappiness'),
    opens: ['hostNetwork'],
  },
  'a sysctl of IPC beside hostIPC': bothBeside('hostIPC', 'kernel.msgmax'),
  'a sysctl of the network after one of IPC, beside hostIPC': {
    ...bothBeside('hostIPC', 'kernel.msgmax', 'net.ipv4.ip_forward'),
    opens: ['hostIPC'],
  },
  'all sysctls beside hostIPC': { ...bothBeside('hostIPC', '*'), opens: ['hostIPC'] },
  'a host path with and without a slash at its end': {
    old: overrides({ volumes: ['hostPath'], hostPaths: [{ pathPrefix: '/var' }] }),
    now: overrides({ volumes: ['hostPath'], hostPaths: [{ pathPrefix: '/var/' }] }),
  },
  'a host path that becomes writable': {
    old: overrides({ volumes: ['hostPath'], hostPaths: [{ pathPrefix: '/var', readOnly: true }] }),
    now: overrides({ volumes: ['hostPath'], hostPaths: [{ pathPrefix: '/var' }] }),
    opens: ['hostPaths'],
  },
  'an override below a read-only host path': {
    old: overrides({ volumes: ['hostPath'], hostPaths: [{ pathPrefix: '/var', readOnly: true }] }),
    now: overrides({
      volumes: ['hostPath'],
      hostPaths: [
        { pathPrefix: '/var', readOnly: true },
        { pathPrefix: '/var/log', readOnly: true },
      ],
    }),
  },
  'a value that defaulting does not replace': {
    old: overrides({}, { level: 'restricted', defaulting: 'Enabled' }),
    now: overrides({ allowPrivilegeEscalation: true }, { level: 'restricted', defaulting: 'Enabled' }),
    opens: ['allowPrivilegeEscalation'],
  },
  'two names of one list, of which a pattern matches one': {
    old: overrides({ sysctls: { allowed: ['net.*'], forbidden: ['kernel.sem', 'net.ipv4.ip_forward'] } }),
    now: overrides({ sysctls: { allowed: ['net.*'] } }),
    opens: ['sysctls'],
  },
  'two profiles of one list, of which a pattern matches one': {
    old: overrides({ seccomp: { types: ['Localhost'], localhostProfiles: ['app-*'] } }),
    now: overrides({ seccomp: { types: ['Localhost'], localhostProfiles: ['app-one', 'web'] } }),
    opens: ['seccomp'],
    closes: ['seccomp'],
  },
  'another repository of seccomp profiles of type OCI': {
    old: overrides({ seccomp: { types: ['OCI'], ociReferences: ['registry.example.com/team/*'] } }),
    now: overrides({
      seccomp: { types: ['OCI'], ociReferences: ['registry.example.com/team/*', 'registry.example.com/web@*'] },
    }),
    opens: ['seccomp'],
  },
  'one digest instead of all digests of a seccomp profile': {
    old: overrides({ seccomp: { types: ['OCI'], ociReferences: ['registry.example.com/web@*'] } }),
    now: overrides({
      seccomp: { types: ['OCI'], ociReferences: [`registry.example.com/web@sha256:${'a'.repeat(64)}`] },
    }),
    closes: ['seccomp'],
  },
  'a reference to a seccomp profile that a prefix already allows': {
    old: overrides({ seccomp: { types: ['OCI'], ociReferences: ['registry.example.com/*'] } }),
    now: overrides({
      seccomp: { types: ['OCI'], ociReferences: ['registry.example.com/*', 'registry.example.com/web@*'] },
    }),
  },
  'base profiles of the node below seccomp profiles of type OCI': {
    old: overrides({ seccomp: { types: ['OCI', 'Localhost'], localhostProfiles: ['a'] } }),
    now: overrides({ seccomp: { types: ['OCI'] } }),
    closes: ['seccomp'],
  },
  'seccomp profiles of type OCI, which only one policy allows': {
    old: overrides({ seccomp: { types: ['RuntimeDefault'] } }),
    now: overrides({ seccomp: { types: ['RuntimeDefault', 'OCI'], ociReferences: ['*'] } }),
    opens: ['seccomp'],
  },
  'a profile whose name has two dots': {
    old: overrides({ seccomp: { types: ['Localhost'], localhostProfiles: ['a'] } }),
    now: overrides({ seccomp: { types: ['Localhost'], localhostProfiles: ['a', 'b..c'] } }),
    opens: ['seccomp'],
  },
  'a profile whose name has a character beyond 16 bits': {
    old: overrides({ appArmor: { types: ['Localhost'], localhostProfiles: ['a'] } }),
    now: overrides({ appArmor: { types: ['Localhost'], localhostProfiles: ['a', '𝔘'] } }),
    opens: ['appArmor'],
  },
  'an unknown field of a container that is listed': {
    old: overrides({ unknownFields: 'Refused' }),
    now: overrides({ unknownFields: 'Refused', allowedUnknownFields: ['spec.containers.foo'] }),
    opens: ['unknownFields'],
  },
  'two policies that each admit one group of a pod': {
    old: {
      low: { overrides: { supplementalGroups: { rule: 'MayRunAs', ranges: [{ min: 1, max: 10 }] } } },
      high: { overrides: { supplementalGroups: { rule: 'MayRunAs', ranges: [{ min: 11, max: 20 }] } } },
    },
    now: overrides({ supplementalGroups: { rule: 'MayRunAs', ranges: [{ min: 1, max: 20 }] } }),
    opens: ['supplementalGroups'],
  },
  'two policies that each admit one sysctl of a pod': {
    old: {
      net: { overrides: { sysctls: { allowed: ['net.core.somaxconn'] } } },
      sem: { overrides: { sysctls: { allowed: ['kernel.sem'] } } },
    },
    now: overrides({ sysctls: { allowed: ['kernel.sem', 'net.core.somaxconn'] } }),
    opens: ['sysctls'],
  },
  'the default capabilities of the runtime': {
    old: overrides({ capabilities: { allowedBounding: ['CHOWN'] } }, { level: 'baseline' }),
    now: overrides({ capabilities: { allowedBounding: ['CHOWN', 'NET_RAW'] } }, { level: 'baseline' }),
    opens: ['capabilities.allowedBounding'],
  },
  'a capability in user namespaces': {
    old: overrides({}),
    now: overrides({ capabilities: { allowedAddInUserNamespace: ['SYS_PTRACE'] } }),
    opens: ['capabilities'],
  },
  'NET_RAW for restricted': {
    old: overrides({}),
    now: overrides({ capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } }),
    opens: ['capabilities'],
  },
  'a sysctl for baseline': {
    old: baseline({}),
    now: baseline({ sysctls: { allowed: ['kernel.shm_rmid_forced', 'net.*'] } }),
    opens: ['sysctls'],
  },
  'a path to read': {
    old: baseline({ volumes: ['hostPath'], hostPaths: [{ pathPrefix: '/a' }] }),
    now: baseline({ volumes: ['hostPath'], hostPaths: [{ pathPrefix: '/a' }, { pathPrefix: '/b', readOnly: true }] }),
    opens: ['hostPaths'],
  },
  'user namespaces that become required': {
    old: overrides({}),
    now: overrides({ userNamespaces: 'Required' }),
    closes: ['userNamespaces'],
  },
  'a profile inherited from the pod': {
    old: overrides({ seccomp: { unset: 'RefusedOnPod' } }),
    now: overrides({ seccomp: { unset: 'Refused' } }),
    opens: ['seccomp'],
  },
  'SELinux categories in another order': {
    old: overrides({ seLinux: { rule: 'MustRunAs', options: { level: 's0:c1,c2' } } }),
    now: overrides({ seLinux: { rule: 'MustRunAs', options: { level: 's0:c2,c1' } } }),
  },
  'Windows HostProcess, which needs the network of the node': {
    old: overrides({ hostNetwork: true }, { level: 'privileged' }),
    now: overrides({ hostNetwork: true, hostProcess: false }, { level: 'privileged' }),
    closes: ['hostProcess'],
  },
  'an unmasked /proc, which needs a user namespace': {
    old: overrides({}, { level: 'baseline', levelVersion: 'v1.34' }),
    now: overrides({ procMount: { types: ['Default', 'Unmasked'] } }, { level: 'baseline', levelVersion: 'v1.34' }),
    opens: ['procMount'],
  },
  'a host namespace, which pods for Windows cannot have': {
    old: overrides({}, { level: 'baseline', levelVersion: 'v1.20' }),
    now: overrides(
      { hostPID: true, runAsGroup: { rule: 'MustRunAs', ranges: [{ min: 1, max: 9 }] } },
      { level: 'baseline', levelVersion: 'v1.20' },
    ),
    opens: ['hostPID'],
    closes: ['runAsGroup'],
  },
  'an annotation of a container whose profile is on the pod': {
    old: overrides({ runAsUser: { rule: 'RunAsAny' } }, { levelVersion: 'v1.18' }),
    now: overrides({ runAsUser: { rule: 'RunAsAny' } }, { levelVersion: 'v1.19' }),
    opens: ['seccomp'],
    closes: ['seccomp'],
  },
  'pods for Windows, which v1.25 exempts': {
    old: overrides({}, { levelVersion: 'v1.24' }),
    now: overrides({}, { levelVersion: 'v1.25' }),
    opens: ['capabilities'],
  },
  'two exceptions that are merged into one': {
    old: { a: { overrides: { hostNetwork: true } }, b: { overrides: { hostPID: true } } },
    now: { a: { overrides: { hostNetwork: true, hostPID: true } } },
    opens: ['hostNetwork'],
  },
  'one exception that is split into two': {
    old: { a: { overrides: { hostNetwork: true, hostPID: true } } },
    now: { a: { overrides: { hostNetwork: true } }, b: { overrides: { hostPID: true } } },
    closes: ['hostNetwork'],
  },
  'an exception that another one covers': {
    old: { a: { overrides: { hostNetwork: true, hostPID: true } } },
    now: { a: { overrides: { hostNetwork: true, hostPID: true } }, b: { overrides: { hostPID: true } } },
  },
  'one container by its name': {
    old: overrides({}),
    now: {
      one: {
        containers: [{ names: ['istio-init'], overrides: { capabilities: { allowedAdd: ['NET_ADMIN'] } } }],
      },
    },
    opens: ['capabilities'],
    // The level restricted allows NET_BIND_SERVICE in its list. The list of capabilities of the container replaces the
    // list of the level.
    closes: ['capabilities'],
  },
  'one container by its image, with a wider pattern': {
    old: {
      one: { containers: [{ names: ['a'], images: ['r.io/a:1'], overrides: { readOnlyRootFilesystem: true } }] },
    },
    now: { one: { containers: [{ names: ['a'], images: ['r.io/*'], overrides: { readOnlyRootFilesystem: true } }] } },
    closes: ['readOnlyRootFilesystem'],
  },
  'a namespace that leaves a policy': {
    old: { one: { namespaceSelector: {} } },
    now: { one: { namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] } } },
    opens: ['capabilities'],
  },
  'a priority that an exception gets': {
    old: { all: {}, one: { level: 'baseline', namespaceSelector: { matchLabels: { team: 'a' } } } },
    now: { all: {}, one: { level: 'baseline', priority: 1, namespaceSelector: { matchLabels: { team: 'a' } } } },
  },
  'a priority by which the stricter policy decides alone': {
    old: { all: { level: 'baseline' }, one: {} },
    now: { all: { level: 'baseline' }, one: { priority: 1 } },
    closes: ['capabilities', 'runAsUser', 'volumes', 'procMount'],
  },
  'an exception that everybody may use': {
    old: { all: {}, one: { overrides: { hostNetwork: true }, usableBy: 'Bindings' } },
    now: { all: {}, one: { overrides: { hostNetwork: true } } },
    opens: ['hostNetwork'],
  },
  'one more user of an exception': {
    old: { all: {}, one: { overrides: { hostNetwork: true }, usableBy: 'Subjects', subjects: users('a') } },
    now: { all: {}, one: { overrides: { hostNetwork: true }, usableBy: 'Subjects', subjects: users('b', 'a') } },
    opens: ['hostNetwork'],
  },
  'an exception that only one service account of a group keeps': {
    old: forSubject('Group', 'system:serviceaccounts:shop'),
    now: FOR_WEB,
    closes: ['hostNetwork'],
  },
  'an exception that only one service account of all keeps, by its user name': {
    old: forSubject('Group', 'system:serviceaccounts'),
    now: forSubject('User', 'system:serviceaccount:shop:web'),
    closes: ['hostNetwork'],
  },
  'a service account, and its user name': { old: FOR_WEB, now: forSubject('User', 'system:serviceaccount:shop:web') },
  'a service account of another namespace than the group': {
    old: forSubject('Group', 'system:serviceaccounts:shops'),
    now: FOR_WEB,
    opens: ['hostNetwork'],
    closes: ['hostNetwork'],
  },
  // The API server does not count a pod's service account as an authenticated user.
  'a service account instead of all authenticated users': {
    old: forSubject('Group', 'system:authenticated'),
    now: FOR_WEB,
    opens: ['hostNetwork'],
    closes: ['hostNetwork'],
  },
  // A policy with subjects may also have bindings that allow further users to use the policy.
  'an exception that loses its subjects, but not its bindings': {
    old: network({ usableBy: 'Subjects', subjects: users('a') }),
    now: network({ usableBy: 'Bindings' }),
    closes: ['hostNetwork'],
  },
  'an exception for somebody, and its wider copy for the same ones': {
    old: { all: {}, one: { overrides: { hostNetwork: true }, usableBy: 'Bindings' } },
    now: { all: {}, one: { overrides: { hostNetwork: true, hostPID: true }, usableBy: 'Bindings' } },
    opens: ['hostPID'],
  },
  defaulting: {
    old: { one: {} },
    now: { one: { defaulting: 'Enabled' } },
    opens: ['capabilities'],
  },
  'a rollout, in namespaces that are still pending': {
    old: { one: {} },
    now: { one: { rollout: { meanwhile: 'Audit' } as never } },
    opens: ['capabilities'],
  },
  'a required user namespace, beside rules that require fields of every container': {
    old: { one: { defaulting: 'Enabled', overrides: { userNamespaces: 'Required' } } },
    now: { one: {} },
    opens: ['userNamespaces'],
    closes: ['capabilities', 'runAsUser'],
  },
  'a field that the API server accepts only after defaulting': {
    old: {
      a: { ...inUserNamespace(['Default']), defaulting: 'Enabled' },
      b: inUserNamespace(['Default', 'Unmasked']),
    },
    now: {
      a: { ...inUserNamespace(['Default']), defaulting: 'Enabled' },
      b: { ...inUserNamespace(['Default', 'Unmasked']), defaulting: 'Enabled' },
    },
    opens: ['userNamespaces'],
  },
  'a field that the API server still refuses, because another policy leaves the pod unchanged': {
    old: {
      a: { ...inUserNamespace(['Default']), defaulting: 'Enabled' },
      b: inUserNamespace(['Default', 'Unmasked']),
      c: { level: 'privileged' },
    },
    now: {
      a: { ...inUserNamespace(['Default']), defaulting: 'Enabled' },
      b: { ...inUserNamespace(['Default', 'Unmasked']), defaulting: 'Enabled' },
      c: { level: 'privileged' },
    },
  },
  'a name of a sysctl with slashes and dots': {
    old: baseline({ sysctls: { allowed: ['net/ipv4/conf/eth0.100/*'], forbidden: ['net/ipv4/conf/eth0.100/mtu'] } }),
    now: baseline({ sysctls: { allowed: ['net/ipv4/conf/eth0.100/*'] } }),
    opens: ['sysctls'],
  },
  'a beginning with a slash, beside a forbidden one with a dot': {
    old: baseline({ sysctls: { allowed: ['kernel.*'], forbidden: ['vm.z*'] } }),
    now: baseline({ sysctls: { allowed: ['kernel.*', 'vm/*'], forbidden: ['vm.z*'] } }),
    opens: ['sysctls'],
  },
  'a beginning of sysctls instead of a beginning with each letter': {
    old: baseline({ sysctls: { allowed: [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => `vm.${letter}*`) } }),
    now: baseline({ sysctls: { allowed: ['vm.*'] } }),
    opens: ['sysctls'],
  },
  // These names have the same beginning as sysctls of the IPC namespace, but can name sysctls of the node.
  'a sysctl of the node that begins like one of the IPC namespace': {
    ...bothBeside('hostIPC', 'kernel.shm_next_id'),
    opens: ['hostIPC'],
  },
  'a beginning of sysctls of the IPC namespace and of the node': {
    ...bothBeside('hostIPC', 'kernel.msg*'),
    opens: ['hostIPC'],
  },
  'two unknown fields of one object': {
    old: { a: unknown('spec.securityContext.fieldOne'), b: unknown('spec.securityContext.fieldTwo') },
    now: { a: unknown('spec.securityContext.fieldOne', 'spec.securityContext.fieldTwo') },
    opens: ['unknownFields'],
  },
  'an unknown field beside a sysctl': {
    old: { a: unknown('spec.securityContext.fieldOne'), b: { level: 'baseline', overrides: { sysctls: SYSCTLS } } },
    now: {
      a: unknown('spec.securityContext.fieldOne'),
      b: {
        level: 'baseline',
        overrides: { sysctls: SYSCTLS, allowedUnknownFields: ['spec.securityContext.fieldOne'] },
      },
    },
    opens: ['sysctls'],
  },
  'an unknown field of a sysctl': {
    old: baseline({ sysctls: { allowed: ['kernel.*'] } }),
    now: baseline({
      sysctls: { allowed: ['kernel.*'] },
      allowedUnknownFields: ['spec.securityContext.sysctls.fieldOne'],
    }),
    opens: ['unknownFields'],
  },
  'a dropped capability in lower case, beside one in upper case': {
    old: baseline({ capabilities: { ...bounded, requiredDrop: ['NET_RAW', 'MKNOD'] } }),
    now: baseline({ capabilities: { ...bounded, requiredDrop: ['NET_RAW'] } }),
    opens: ['capabilities'],
  },
  'a required drop less, but without defaulting': {
    old: {
      one: {
        level: 'baseline',
        defaulting: 'Enabled',
        overrides: { capabilities: { allowedAdd: [], requiredDrop: ['CHOWN', 'KILL', 'NET_RAW'] } },
      },
    },
    now: baseline({ capabilities: { allowedAdd: [], requiredDrop: ['CHOWN', 'KILL'] } }),
    closes: ['capabilities'],
  },
  'a Localhost profile after one that the API server refuses': {
    old: baseline({ seccomp: { types: ['RuntimeDefault', 'Localhost'], localhostProfiles: ['base.json'] } }),
    now: baseline({
      seccomp: {
        types: ['RuntimeDefault', 'Localhost'],
        localhostProfiles: ['base.json', '../shared/app.json', 'team/app.json'],
      },
    }),
    opens: ['seccomp'],
  },
  'an annotation of AppArmor on a pod for Windows': {
    old: overrides({ appArmor: { unset: 'Refused' } }, { levelVersion: 'v1.24' }),
    now: overrides({ appArmor: { unset: 'Refused' } }, { levelVersion: 'v1.25' }),
    opens: ['capabilities'],
  },
  'a container that adds a capability of each of two policies': {
    old: adding(['NET_ADMIN'], ['SYS_TIME']),
    now: adding(['NET_ADMIN', 'SYS_TIME']),
    opens: ['capabilities'],
  },
  'a container that adds a capability of each of four policies': {
    old: adding(...lackingOne(ADDED)),
    now: adding(ADDED),
    opens: ['capabilities'],
  },
  'capabilities of a container that two policies already allow together': {
    old: adding(['NET_ADMIN', 'SYS_TIME'], ['SYS_PTRACE']),
    now: adding(['NET_ADMIN'], ['SYS_PTRACE']),
    closes: ['capabilities'],
  },
  'a container whose user ID two policies both refuse': {
    old: runningAs([1, 1], [2, 2]),
    now: runningAs([1, 3]),
    opens: ['runAsUser'],
  },
  'three sysctls, and three policies that each lack one of them': {
    old: sysctlsOf(...lackingOne(SYSCTL_NAMES.slice(0, 3))),
    now: sysctlsOf(SYSCTL_NAMES.slice(0, 3)),
    opens: ['sysctls'],
  },
  'four sysctls, and four policies that each lack one of them': {
    old: sysctlsOf(...lackingOne(SYSCTL_NAMES)),
    now: sysctlsOf(SYSCTL_NAMES),
    opens: ['sysctls'],
  },
  'three groups, and three policies that each lack one of them': {
    old: groupsOf(...lackingOne(GROUP_IDS.slice(0, 3))),
    now: groupsOf(GROUP_IDS.slice(0, 3)),
    opens: ['supplementalGroups'],
  },
  'four groups, and four policies that each lack one of them': {
    old: groupsOf(...lackingOne(GROUP_IDS)),
    now: groupsOf(GROUP_IDS),
    opens: ['supplementalGroups'],
  },
  'a mode that refuses nothing': { old: { one: { mode: 'Warn' } }, now: {} },
  'a set without policies': { old: {}, now: { one: {} }, closes: ['capabilities'] },
};

describe('compare', () => {
  for (const [title, { old, now, opens = [], closes = [] }] of Object.entries(CASES)) {
    it(`decides: ${title}`, () => {
      const found = compared(old, now);
      const rules = (direction: 'opens' | 'closes') => found[direction].map(({ rules }) => rules[0]);
      assert.deepEqual(
        { opens: rules('opens'), closes: rules('closes'), undecided: found.undecided, same: found.same },
        { opens, closes, undecided: [], same: opens.length + closes.length === 0 },
      );
      for (const { pod } of [...found.opens, ...found.closes])
        assert.ok(isAccepted(pod) || isAcceptedFilled(pod), JSON.stringify(pod));
    });
  }

  it('if the old set and the new set are exchanged, the lists opens and closes are exchanged', () => {
    const some = Object.values(CASES).filter((_, i) => i % 4 === 0);
    for (const { old, now, opens = [], closes = [] } of some) {
      const found = compared(now, old);
      assert.deepEqual([found.opens.length > 0, found.closes.length > 0], [closes.length > 0, opens.length > 0]);
    }
  });

  it('a difference names the namespace, the users, and the verdicts of the old and the new set', () => {
    const selector = { matchLabels: { team: 'net' } };
    const { opens } = compared(
      { all: {} },
      { all: {}, ping: { namespaceSelector: selector, usableBy: 'Bindings', overrides: { hostNetwork: true } } },
    );
    const [found] = opens;
    assert.deepEqual(
      [opens.length, found?.namespace, found?.use, found?.before.verdict, found?.after],
      [1, { team: 'net' }, ['ping'], 'Violating', { verdict: 'Compliant', admittedBy: 'ping', violations: {} }],
    );
  });

  it('says that rules may be missing if the smallest pod of a rule shows nothing new', () => {
    const group = (...ranges: { min: number; max: number }[]): Spec => ({
      level: 'privileged',
      overrides: { privileged: false, fsGroup: { rule: 'MayRunAs', ranges } },
    });
    const old = {
      a: group({ min: 0, max: 10 }, { min: 12, max: 1_000_000_000 }),
      b: group({ min: 0, max: 11 }, { min: 13, max: 1_000_000_000 }),
    };
    const found = compared(old, { c: { level: 'privileged' } });
    const rules = found.opens.flatMap((one) => one.rules);
    assert.ok(rules.includes('privileged'));
    assert.equal(found.namesEveryRule.opens, rules.includes('fsGroup'));
    assert.equal(found.namesEveryRule.closes, true);
  });

  it('compares unknown fields by the values that API servers fill in', () => {
    const allowing = (field: string): Specs => baseline({ unknownFields: 'Refused', allowedUnknownFields: [field] });
    const refusing = baseline({ unknownFields: 'Refused' });
    const ofContainer = ['=true', '=1', '=Own', '.sub=1', '[].sub=1'].map((end) => [
      'containers.securityContext.foo',
      end,
    ]);
    for (const [path, end] of [['foo', '=true'], ...ofContainer]) {
      const [field, filled] = [`spec.${path}`, [`spec.${path}${end}`]];
      const pairs = [
        [setOf(refusing, filled), setOf(allowing(field), filled)],
        [setOf(refusing), setOf(refusing, filled)],
      ] as const;
      for (const [old, now] of pairs) {
        const found = compare(old, now, { limit: DEFAULT_LIMIT });
        const rules = found.opens.map((one) => one.rules);
        assert.deepEqual([rules, found.closes, found.undecided], [[['unknownFields']], [], []], filled.join());
      }
    }
  });

  it('if the evaluation of a check fails, compare does not call the sets equal', () => {
    const failing = {
      rule: 'failing',
      checks: [{ over: 'pod', violates: 'variables.spec.?hostNetwork.orValue(false) < 1', message: '""', path: '' }],
    };
    const [old, now] = [setOf({ one: {} }), setOf({ one: {} })];
    const policies = old.policies.map((policy) => ({ ...policy, checks: [...policy.checks, failing] as never }));
    const found = compare({ ...old, policies }, now, { limit: DEFAULT_LIMIT });
    assert.deepEqual(
      found.undecided.map(({ direction, message }) => [direction, message]),
      [['opens', 'the evaluation of a check of rule failing fails for some pods']],
    );
  });

  it('compares policies with other rules where API servers fill in unknown fields', () => {
    const defaults = ['spec.foo=1', 'spec.containers.bar=a', 'spec.containers.securityContext.limits[].soft=1'];
    const found = compare(setOf({ one: {} }, defaults), setOf(overrides({ hostNetwork: true }), defaults), {
      limit: DEFAULT_LIMIT,
    });
    assert.deepEqual(
      [found.opens.map(({ rules }) => rules[0]), found.closes, found.undecided],
      [['hostNetwork'], [], []],
    );
  });

  it('says that rules may be missing if the examined users may use none of the refusing policies', () => {
    const found = compared(
      { one: { level: 'baseline', usableBy: 'Subjects', subjects: users('a') } },
      baseline({ hostNetwork: true }),
    );
    assert.deepEqual([found.opens.map(({ rules }) => rules), found.namesEveryRule.opens], [[['use']], false]);
  });

  it('if five policies may each refuse another item of a list, compare does not call the sets equal', () => {
    const [sysctls, added] = [
      [...SYSCTL_NAMES, 'vm.e'],
      [...ADDED, 'SYS_RAWIO'],
    ];
    const ofPod = compared(sysctlsOf(...lackingOne(sysctls)), sysctlsOf(sysctls));
    const ofContainer = compared(adding(...lackingOne(added)), adding(added));
    assert.deepEqual([ofPod.same, ofContainer.same], [false, false]);
    const messages = [...ofPod.undecided, ...ofContainer.undecided].map(({ message }) => message);
    assert.deepEqual(messages, [
      'more than 4 policies have other values for spec.securityContext.sysctls, and only 4 items of a list are tried together',
      'a pod that breaks only rule capabilities may be admitted now, but no such pod was found',
    ]);
  });

  it('compare does not call sets equal when the comparison reaches its limit', () => {
    const found = compared({ one: {} }, { one: { level: 'baseline' } }, 10);
    assert.deepEqual([found.same, found.opens], [false, []]);
    assert.match(found.undecided[0]?.message ?? '', /there is too much to compare: more than 10 pods/);
  });

  it('if the sets differ in a check that compare does not understand, compare does not call the sets equal', () => {
    const strange = {
      rule: 'strange',
      checks: [{ over: 'pod', violates: 'variables.other == 1', message: '""', path: '' }],
    };
    const [old, now] = [setOf({ one: {} }), setOf({ one: {} })];
    const policies = old.policies.map((policy) => ({ ...policy, checks: [...policy.checks, strange] as never }));
    const found = compare({ ...old, policies }, now, { limit: DEFAULT_LIMIT });
    assert.deepEqual([found.same, found.opens, found.closes], [false, [], []]);
    assert.deepEqual(
      found.undecided.map(({ direction, message }) => [direction, message]),
      [['opens', 'the comparison does not understand the checks of rule strange']],
    );
    assert.ok(compare({ ...old, policies }, { ...now, policies }, { limit: 1000 }).same);
  });
});
