/**
 * A reference model of the rules about a pod's use of its node. The rules concern namespaces, ports, volumes, kernel
 * parameters and runtime classes.
 */
import {
  type Breach,
  containersThat,
  type Handler,
  hasOwnUsers,
  isForWindows,
  matchesSome,
  type Projected,
  type Question,
  type StatedContainer,
} from './pod.ts';
import type { Range } from './values.ts';

export const MODELS = {
  hostNetwork: ({ values, pod }: Question): Breach => ({ pod: !values.hostNetwork && pod.spec.hostNetwork === true }),
  hostPID: ({ values, pod }: Question): Breach => ({ pod: !values.hostPID && pod.spec.hostPID === true }),
  hostIPC: ({ values, pod }: Question): Breach => ({ pod: !values.hostIPC && pod.spec.hostIPC === true }),
  hostProcess,
  hostProbes,
  hostPorts,
  volumes,
  serviceAccountToken: ({ values, pod }: Question): Breach => ({
    pod: values.serviceAccountToken === 'Forbidden' && (pod.spec.volumes ?? []).some(hasToken),
  }),
  hostPaths,
  flexVolumeDrivers,
  csiDrivers,
  supplementalGroups,
  'supplementalGroups.policy': supplementalGroupsPolicy,
  fsGroup,
  procMount,
  sysctls,
  runtimeClasses,
  userNamespaces: ({ values, pod }: Question): Breach => ({
    pod: values.userNamespaces === 'Required' && !hasOwnUsers(pod) && !isForWindows(pod),
  }),
  // API servers drop fields that they do not know. This release knows all fields of the tested API servers.
  unknownFields: (): Breach => ({}),
};

/**
 * The Standard says: "Windows pods offer the ability to run HostProcess containers, which enables privileged access to
 * the node."
 */
function hostProcess({ values, pod }: Question): Breach {
  if (values.hostProcess) return {};
  return {
    pod: pod.spec.securityContext?.windowsOptions?.hostProcess === true,
    containers: containersThat(pod, (c) => c.securityContext?.windowsOptions?.hostProcess === true),
  };
}

/**
 * The Standard says "The Host field in probes and lifecycle hooks must be disallowed". The field `host` must be
 * undefined or empty.
 */
function hostProbes({ values, pod }: Question): Breach {
  if (values.hostProbes) return {};
  const names = (handler: Handler | undefined) => Boolean(handler?.httpGet?.host) || Boolean(handler?.tcpSocket?.host);
  const handlers = (c: StatedContainer) => [
    c.livenessProbe,
    c.readinessProbe,
    c.startupProbe,
    c.lifecycle?.postStart,
    c.lifecycle?.preStop,
  ];
  return { containers: containersThat(pod, (c) => handlers(c).some(names)) };
}

/**
 * The Standard says "HostPorts should be disallowed entirely or restricted to a known list". A port must be undefined,
 * 0, or in a range.
 */
function hostPorts({ values, pod }: Question): Breach {
  const refused = (port: number) => port !== 0 && !isIn(port, values.hostPorts);
  return { containers: containersThat(pod, ({ ports = [] }) => ports.some((p) => refused(p.hostPort ?? 0))) };
}

function volumes({ values: { volumes: types }, pod }: Question): Breach {
  const refused = (type: string) => types.allowed?.includes(type) === false || types.forbidden?.includes(type) === true;
  const evaluated = (pod.spec.volumes ?? []).filter(
    ({ projected }) => !(types.tokens && projected && isToken(projected)),
  );
  const all = evaluated.flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'));
  return { pod: all.some(refused) };
}

function hasToken({ projected }: { readonly projected?: Projected }): boolean {
  return (projected?.sources ?? []).some(({ serviceAccountToken }) => serviceAccountToken !== undefined);
}

/**
 * Whether a projected volume has only sources that PodSecurityPolicy allowed. The allowed sources are the token of the
 * service account, the certificate and the namespace, in the form that every pod gets. For a volume without sources,
 * the API server stores null as the sources.
 */
function isToken({ sources }: Projected): boolean {
  return (sources ?? []).every(({ serviceAccountToken, configMap, downwardAPI, clusterTrustBundle }) => {
    if (!serviceAccountToken && !configMap && !downwardAPI && !clusterTrustBundle) return false;
    if (clusterTrustBundle && clusterTrustBundle.signerName !== 'kubernetes.io/kube-apiserver-serving') return false;
    if (serviceAccountToken && (serviceAccountToken.path !== 'token' || serviceAccountToken.audience)) return false;
    if (configMap && configMap.name !== 'kube-root-ca.crt') return false;
    const items = downwardAPI?.items ?? [];
    return items.every(({ path, fieldRef }) => path === 'namespace' && fieldRef?.fieldPath === 'metadata.namespace');
  });
}

/**
 * Whether the paths may be mounted. As in PodSecurityPolicy, a path may be mounted for writing if one prefix allows
 * writing. If all prefixes that allow the path are read-only, the path may only be mounted read-only.
 */
function hostPaths({ values: { hostPaths: prefixes }, pod }: Question): Breach {
  if (!prefixes) return {};
  const all = (pod.spec.volumes ?? []).flatMap(({ name, hostPath }) =>
    hostPath ? [{ name, path: hostPath.path }] : [],
  );
  const covering = (path: string) => prefixes.filter(({ pathPrefix }) => isBelow(path, pathPrefix));
  const onlyForReading = all
    .filter(({ path }) => covering(path).length > 0 && covering(path).every(({ readOnly }) => readOnly === true))
    .map(({ name }) => name);
  return {
    pod: all.some(({ path }) => covering(path).length === 0),
    containers: containersThat(
      pod,
      ({ volumeMounts = [] }) =>
        onlyForReading.length > 256 ||
        volumeMounts.some(({ name, readOnly }) => onlyForReading.includes(name) && readOnly !== true),
    ),
  };
}

/**
 * Whether the prefix allows the path, as in PodSecurityPolicy. The prefix `/foo` allows `/foo`, `/foo/` and `/foo/bar`,
 * but not `/food`.
 */
function isBelow(path: string, prefix: string): boolean {
  const [inner, outer] = [path.split('/'), prefix.split('/')];
  while (outer.length > 1 && outer.at(-1) === '') outer.pop();
  return outer.every((component, index) => inner[index] === component);
}

function flexVolumeDrivers({ values: { flexVolumeDrivers: drivers }, pod }: Question): Breach {
  return {
    pod: (pod.spec.volumes ?? []).some(
      ({ flexVolume }) => flexVolume && drivers?.includes(flexVolume.driver) === false,
    ),
  };
}

function csiDrivers({ values: { csiDrivers: drivers }, pod }: Question): Breach {
  return { pod: (pod.spec.volumes ?? []).some(({ csi }) => csi && drivers?.includes(csi.driver) === false) };
}

function supplementalGroups({ values: { supplementalGroups: wanted }, pod }: Question): Breach {
  if (wanted.rule === 'RunAsAny' || isForWindows(pod)) return {};
  const groups = pod.spec.securityContext?.supplementalGroups ?? [];
  const missing = wanted.rule === 'MustRunAs' && groups.length === 0;
  return { pod: missing || groups.some((group) => !isIn(group, wanted.ranges)) };
}

/** Without `Strict`, the container runtime adds the groups of the image to the groups of the pod (KEP-3619). */
function supplementalGroupsPolicy({ values, pod }: Question): Breach {
  const merges = pod.spec.securityContext?.supplementalGroupsPolicy !== 'Strict' && !isForWindows(pod);
  return { pod: values['supplementalGroups.policy'] === 'Strict' && merges };
}

function fsGroup({ values: { fsGroup: wanted }, pod }: Question): Breach {
  if (wanted.rule === 'RunAsAny' || isForWindows(pod)) return {};
  const group = pod.spec.securityContext?.fsGroup;
  return { pod: group === undefined ? wanted.rule === 'MustRunAs' : !isIn(group, wanted.ranges) };
}

/**
 * The Standard says: "The default /proc masks are set up to reduce attack surface". From v1.35 on, a user namespace
 * also counts as a reduction of the attack surface.
 */
function procMount({ values: { procMount: wanted }, pod }: Question): Breach {
  const free = !wanted.unmaskedInUserNamespace || hasOwnUsers(pod);
  return {
    containers: containersThat(pod, ({ securityContext }) => {
      const type = securityContext?.procMount ?? 'Default';
      return !wanted.types.includes(type) || (type === 'Unmasked' && !free);
    }),
  };
}

/**
 * A forbidden sysctl name takes precedence over an allowed name. A forbidden name also matches the spelling with `/`.
 */
function sysctls({ values: { sysctls: wanted }, pod }: Question): Breach {
  const dotted = (name: string) => name.replaceAll('/', '.');
  const refused = (name: string) =>
    matchesSome(dotted(name), wanted.forbidden.map(dotted)) || !matchesSome(name, wanted.allowed);
  const set = pod.spec.securityContext?.sysctls ?? [];
  return { pod: set.some(({ name }) => refused(name)) };
}

function runtimeClasses({ values: { runtimeClasses: wanted }, pod }: Question): Breach {
  const name = pod.spec.runtimeClassName;
  return { pod: name !== undefined && wanted.allowed?.includes(name) === false };
}

export function isIn(id: number, ranges: readonly Range[] = []): boolean {
  return ranges.some(({ min, max }) => min <= id && id <= max);
}
