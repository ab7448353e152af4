/**
 * Makes pods from single features. A feature is a difference from a hardened pod. For each feature, plain code states
 * the tightest level that admits the feature. The tests therefore know the expected suggestion without evaluating the
 * rules.
 */
import fc, { type Arbitrary } from 'fast-check';

type Fields = Record<string, unknown>;

/** The tightest level that admits the feature. */
type AdmittedBy = 'restricted' | 'baseline' | 'privileged';

interface Feature {
  readonly admittedBy: AdmittedBy;
  /** The place of the feature in the pod. In each place of a pod, the test puts at most one feature. */
  readonly place?: string;
  readonly container?: Fields;
  readonly security?: Fields;
  readonly pod?: Fields;
  readonly podSecurity?: Fields;
  readonly volume?: Fields;
  readonly mount?: Fields;
  readonly port?: number;
  readonly add?: string;
  readonly sysctl?: string;
}

const FEATURES: Readonly<Record<string, Feature>> = {
  configMap: { admittedBy: 'restricted', volume: { configMap: { name: 'settings' } } },
  nfs: { admittedBy: 'baseline', volume: { nfs: { server: 'files', path: '/' } } },
  'hostPath /var/log, read': {
    admittedBy: 'privileged',
    volume: { hostPath: { path: '/var/log' } },
    mount: { mountPath: '/log', readOnly: true },
  },
  'hostPath /run, written': {
    admittedBy: 'privileged',
    volume: { hostPath: { path: '/run' } },
    mount: { mountPath: '/node' },
  },
  'seccomp Localhost': {
    admittedBy: 'restricted',
    place: 'seccomp',
    security: { seccompProfile: { type: 'Localhost', localhostProfile: 'app.json' } },
  },
  'seccomp unset': { admittedBy: 'baseline', place: 'seccomp', security: { seccompProfile: undefined } },
  'seccomp Unconfined': {
    admittedBy: 'privileged',
    place: 'seccomp',
    security: { seccompProfile: { type: 'Unconfined' } },
  },
  'seccomp OCI': {
    admittedBy: 'privileged',
    place: 'seccomp',
    security: {
      seccompProfile: { type: 'OCI', oci: { ref: `registry.example.com/web@sha256:${'0123456789abcdef'.repeat(4)}` } },
    },
  },
  'AppArmor RuntimeDefault': {
    admittedBy: 'restricted',
    place: 'appArmor',
    security: { appArmorProfile: { type: 'RuntimeDefault' } },
  },
  'AppArmor Unconfined': {
    admittedBy: 'privileged',
    place: 'appArmor',
    security: { appArmorProfile: { type: 'Unconfined' } },
  },
  'add NET_BIND_SERVICE': { admittedBy: 'restricted', add: 'NET_BIND_SERVICE' },
  'add CHOWN': { admittedBy: 'baseline', add: 'CHOWN' },
  'add NET_RAW': { admittedBy: 'privileged', add: 'NET_RAW' },
  'add SYS_TIME': { admittedBy: 'privileged', add: 'SYS_TIME' },
  'no drop': { admittedBy: 'baseline', security: { drop: [] } },
  'privilege escalation': { admittedBy: 'baseline', security: { allowPrivilegeEscalation: true } },
  hostNetwork: { admittedBy: 'privileged', pod: { hostNetwork: true } },
  hostPID: { admittedBy: 'privileged', pod: { hostPID: true } },
  'hostPort 80': { admittedBy: 'privileged', port: 80 },
  'hostPort 443': { admittedBy: 'privileged', port: 443 },
  'user not promised': { admittedBy: 'baseline', security: { runAsNonRoot: undefined } },
  root: { admittedBy: 'baseline', place: 'user', security: { runAsUser: 0 } },
  'user 1000': { admittedBy: 'restricted', place: 'user', security: { runAsUser: 1000 } },
  'safe sysctl': { admittedBy: 'restricted', sysctl: 'kernel.shm_rmid_forced' },
  'other sysctl': { admittedBy: 'privileged', sysctl: 'kernel.msgmax' },
  'SELinux level': { admittedBy: 'restricted', place: 'seLinux', podSecurity: { seLinuxOptions: { level: 's0:c1' } } },
  'SELinux spc_t': { admittedBy: 'privileged', place: 'seLinux', podSecurity: { seLinuxOptions: { type: 'spc_t' } } },
  'probe of another host': {
    admittedBy: 'privileged',
    container: { livenessProbe: { tcpSocket: { host: '192.0.2.1', port: 80 } } },
  },
};

const HARDENED = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

/**
 * An exception for this feature admits only pods that have the feature. The API has no field for a list of several
 * SELinux options. An override that admits the options of this feature therefore admits no other options.
 */
const EXACT = 'SELinux spc_t';

export interface Made {
  readonly serviceAccount: string;
  readonly features: readonly string[];
}

export const made: Arbitrary<Made> = fc.record({
  serviceAccount: fc.constantFrom('default', 'node', 'web'),
  features: fc.subarray(Object.keys(FEATURES), { maxLength: 6 }).map(oneInEachPlace),
});

/** Pods similar to the given pods. In each similar pod, one feature is added, removed or exchanged. */
export function near(workloads: readonly Made[]): Arbitrary<Made> {
  return fc
    .record({
      of: fc.constantFrom(...workloads),
      others: fc.subarray(Object.keys(FEATURES), { maxLength: 2 }),
      drop: fc.nat(5),
    })
    .map(({ of, others, drop }) => ({
      serviceAccount: of.serviceAccount,
      features: oneInEachPlace([...others, ...of.features.filter((_, i) => i !== drop)]),
    }));
}

/**
 * Returns true if the level admits all features of the pod. Also returns true if one workload with the same service
 * account needs all features that the level does not admit.
 */
export function mayBeAdmitted(pod: Made, workloads: readonly Made[], level: 'restricted' | 'baseline'): boolean {
  const beyond = pod.features.filter((feature) => !isAdmittedBy(feature, level));
  return (
    beyond.length === 0 ||
    workloads
      .filter(({ serviceAccount }) => serviceAccount === pod.serviceAccount)
      .some(
        ({ features }) =>
          beyond.every((feature) => features.includes(feature)) &&
          (!features.includes(EXACT) || beyond.includes(EXACT)),
      )
  );
}

function isAdmittedBy(feature: string, level: 'restricted' | 'baseline'): boolean {
  const { admittedBy } = FEATURES[feature] as Feature;
  return admittedBy === 'restricted' || admittedBy === level;
}

/** The PodSpec of the pod. */
export function specOf({ serviceAccount, features }: Made) {
  const own = features.map(
    (name) => ({ name: name.replace(/[^a-z]+/gi, '-').toLowerCase(), ...FEATURES[name] }) as Feature & { name: string },
  );
  const { drop = ['ALL'], ...security }: Fields = Object.assign({}, HARDENED, ...own.map((one) => one.security));
  const add = own.flatMap((one) => one.add ?? []);
  const sysctls = own.flatMap(({ sysctl }) => (sysctl ? { name: sysctl, value: '1' } : []));
  const podSecurity = Object.assign({}, ...own.map((one) => one.podSecurity));
  return {
    serviceAccountName: serviceAccount,
    ...Object.assign({}, ...own.map(({ pod }) => pod)),
    securityContext: { ...podSecurity, ...(sysctls.length > 0 && { sysctls }) },
    containers: [
      {
        name: 'app',
        image: 'app',
        ...Object.assign({}, ...own.map(({ container }) => container)),
        ports: own.flatMap(({ port }) => (port ? { containerPort: port, hostPort: port } : [])),
        volumeMounts: own.flatMap(({ name, mount }) => (mount ? { name, ...mount } : [])),
        securityContext: JSON.parse(JSON.stringify({ ...security, capabilities: { add, drop } })),
      },
    ],
    volumes: own.flatMap(({ name, volume }) => (volume ? { name, ...volume } : [])),
  };
}

function oneInEachPlace(features: readonly string[]): string[] {
  const byPlace = new Map(features.map((feature) => [FEATURES[feature]?.place ?? feature, feature]));
  return [...byPlace.values()];
}

/**
 * Whether every list in the value is short enough for policies. A policy refuses a list that is too long
 * (docs/decisions/0009).
 */
export function isOfRealSize(value: unknown): boolean {
  if (Array.isArray(value) && value.length > 256) return false;
  return typeof value !== 'object' || value === null || Object.values(value).every(isOfRealSize);
}
