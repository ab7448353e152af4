/**
 * The pods that are most expensive to evaluate, for each rule. Every list that the rule reads is as long as possible,
 * and the API server accepts the pod. If a rule has no pod in this list, worst-objects.test.ts fails.
 */
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import type { Container, PodSpec, Volume } from '../../operator/model/objects.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Rule } from '../../operator/rules/rule.ts';
import { restricting } from '../support/examples.ts';

export interface WorstPod {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
}

export interface WorstObject {
  /** With these overrides, the rule reads as many fields as possible. */
  readonly overrides: CapabilityPolicyOverrides;
  /** @param count the number of items that the rule iterates over */
  pod(count: number): WorstPod;
  /** The number of items in an object with a size of about 1.4 MB. A size of 1.4 MB is near the limit of etcd. */
  readonly most: number;
}

const RANGES = Array.from({ length: 32 }, (_, i) => ({ min: 1000 * i + 1, max: 1000 * i + 500 }));
const PATTERNS = Array.from({ length: 32 }, (_, i) => `pattern-${i}/*`);

const FOLDERS = PATTERNS.map((pattern) => `registry.example.com/${pattern}`);

const many = <Item>(count: number, item: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, i) => item(i));
const IMAGE = 'registry.example.com/app';
const one = (fields: object, spec: object = {}): WorstPod => ({
  spec: { containers: [{ name: 'app', image: IMAGE, ...fields }], ...spec },
});
/** A pod with many containers that have the given securityContext. */
const crowd =
  (securityContext: object, spec: object = {}, fields: object = {}) =>
  (count: number): WorstPod => ({
    spec: {
      containers: many(count, (i) => ({ name: `c${i}`, image: IMAGE, securityContext, ...fields })) as Container[],
      ...spec,
    },
  });
/**
 * The maximum number of containers of a pod with many containers. The API server adds about 150 bytes of defaults to
 * each container.
 */
const CROWD = { most: 4_000 };

const names = (count: number, prefix: string) =>
  many(count, (i) => `${prefix}${i.toString(26).replace(/\d/g, (d) => 'QRSTUVWXYZ'[Number(d)] ?? '')}`);
const longLists = (count: number) =>
  one({ securityContext: { capabilities: { add: names(count, 'A'), drop: [...names(count, 'D'), 'ALL'] } } });
const volumesOf = (count: number, source: (index: number) => object) =>
  one({}, { volumes: many(count, (i) => ({ name: `v${i}`, ...source(i) })) as Volume[] });
const longMcs = `s0:${many(40, (i) => `c${i}`).join(',')}`;
const small = (spec: object) => () => one({}, spec);

/** The most expensive objects for the rules that read lists or unbounded strings. */
export const LONGEST: Readonly<Record<string, WorstObject>> = {
  capabilities: {
    overrides: {
      capabilities: {
        allowedAdd: ['CHOWN', 'KILL'],
        allowedAddInUserNamespace: ['NET_ADMIN', 'SYS_PTRACE'],
        requiredDrop: ['NET_RAW', 'MKNOD'],
        dropByName: true,
      },
    },
    pod: longLists,
    most: 80_000,
  },
  'capabilities.allowedBounding': {
    overrides: { capabilities: { allowedBounding: ['CHOWN'], allowedAddInUserNamespace: ['NET_ADMIN', 'SYS_PTRACE'] } },
    pod: longLists,
    most: 80_000,
  },
  defaultAllowPrivilegeEscalation: {
    overrides: { allowPrivilegeEscalation: true, defaultAllowPrivilegeEscalation: false },
    pod: (count) => one({ securityContext: { capabilities: { add: names(count, 'A') } } }),
    most: 160_000,
  },
  hostProcess: { overrides: {}, pod: crowd({ windowsOptions: { hostProcess: false } }), ...CROWD },
  hostPorts: {
    overrides: { hostPorts: RANGES },
    pod: (count) =>
      one({
        ports: many(count, (i) => ({ containerPort: (i % 65_000) + 1, hostPort: (i % 65_000) + 1, protocol: 'TCP' })),
      }),
    most: 22_000,
  },
  volumes: {
    overrides: { volumes: ['secret'] },
    pod: (count) => volumesOf(count, () => ({ emptyDir: {} })),
    most: 38_000,
  },
  hostPaths: {
    overrides: {
      volumes: ['hostPath'],
      hostPaths: many(32, (i) => ({ pathPrefix: `/read/${i}`, readOnly: i % 2 === 0 })),
    },
    pod: (count) => {
      const pod = volumesOf(count, (i) => ({ hostPath: { path: `/read/${i % 32}/x` } }));
      const [app] = pod.spec.containers;
      const volumeMounts = many(count, (i) => ({ name: `v${i}`, mountPath: `/m/${i}` }));
      return { spec: { ...pod.spec, containers: [{ ...app, volumeMounts } as Container] } };
    },
    most: 12_000,
  },
  flexVolumeDrivers: {
    overrides: { volumes: ['flexVolume'], flexVolumeDrivers: many(32, (i) => `example.com/${i}`) },
    pod: (count) => volumesOf(count, (i) => ({ flexVolume: { driver: `example.com/x${i}` } })),
    most: 22_000,
  },
  csiDrivers: {
    overrides: { csiDrivers: many(32, (i) => `${i}.example.com`) },
    pod: (count) => volumesOf(count, (i) => ({ csi: { driver: `x${i}.example.com` } })),
    most: 24_000,
  },
  runAsUser: {
    overrides: { runAsUser: { rule: 'MustRunAs', ranges: RANGES } },
    pod: crowd({ runAsUser: 700 }),
    ...CROWD,
  },
  runAsGroup: {
    overrides: { runAsGroup: { rule: 'MustRunAs', ranges: RANGES } },
    pod: crowd({ runAsGroup: 700 }),
    ...CROWD,
  },
  supplementalGroups: {
    overrides: { supplementalGroups: { rule: 'MustRunAs', ranges: RANGES } },
    pod: (count) => one({}, { securityContext: { supplementalGroups: many(count, (i) => 1000 * (i % 32) + 7) } }),
    most: 220_000,
  },
  fsGroup: {
    overrides: { fsGroup: { rule: 'MustRunAs', ranges: RANGES } },
    pod: small({ securityContext: { fsGroup: 700 } }),
    most: 1,
  },
  seccomp: {
    overrides: {
      seccomp: { types: ['Localhost', 'OCI'], localhostProfiles: PATTERNS, ociReferences: FOLDERS, unset: 'Refused' },
    },
    pod: crowd({ seccompProfile: { type: 'Localhost', localhostProfile: 'other' } }),
    most: 3_500,
  },
  appArmor: {
    overrides: { appArmor: { types: ['Localhost'], localhostProfiles: PATTERNS, unset: 'Refused' } },
    pod: crowd({ appArmorProfile: { type: 'Localhost', localhostProfile: 'other' } }),
    most: 3_500,
  },
  seLinux: {
    overrides: { seLinux: { rule: 'MustRunAs', options: { level: longMcs } } },
    pod: crowd({ privileged: false }, { securityContext: { seLinuxOptions: { level: `${longMcs},c9999` } } }),
    ...CROWD,
  },
  sysctls: {
    overrides: {
      sysctls: { allowed: many(32, (i) => `net.ipv4.x${i}.*`), forbidden: many(32, (i) => `kernel.x${i}*`) },
    },
    pod: (count) =>
      one({}, { securityContext: { sysctls: many(count, (i) => ({ name: `net/ipv4/y${i}`, value: '1' })) } }),
    most: 34_000,
  },
};

export const WORST_OBJECTS: Readonly<Record<string, WorstObject>> = Object.fromEntries(
  RULES.map((rule) => [rule.id, LONGEST[rule.id] ?? ofExample(rule)]),
);

/**
 * The most expensive object for a rule that is not in `LONGEST`. The object is the refused pod of the rule's example.
 * The volume or container of the pod is repeated as often as possible.
 */
function ofExample(rule: Rule): WorstObject {
  const { overrides, refuses } = restricting(rule);
  const { spec = {}, container = {} } = refuses.at(-1) ?? {};
  const [volume] = (spec.volumes ?? []) as readonly object[];
  if (volume)
    return { overrides, pod: (count) => volumesOf(count, (i) => ({ ...volume, name: `v${i}` })), most: 10_000 };
  if (Object.keys(spec).length > 0) return { overrides, pod: small(spec), most: 1 };
  const { securityContext = {}, ...fields } = container as { readonly securityContext?: object };
  return { overrides, pod: crowd(securityContext, {}, fields), most: 3_000 };
}
