/** Makes a policy that states every field. Also makes copies of the policy that lack some of its lines. */
import { load } from 'js-yaml';
import type { Json } from '../../hack/controlplane/api.ts';
import { EVERYTHING_RESTRICTED } from '../support/examples.ts';

/**
 * A spec that states every field. Tests create hundreds of policies with this spec at the same time. The operator
 * refuses these policies because of the level's version, and does not compile the policies. So the API server has no
 * admission policies to compile. Argo CD handles these policies like any other policies.
 */
const STATED = `
namespaceSelector:
  matchLabels:
    argo-lines: none
    team: net
  matchExpressions:
    - {key: stage, operator: NotIn, values: [old]}
level: restricted
levelVersion: v1.99
mode: Enforce
priority: 10
usableBy: Subjects
subjects:
  - {kind: ServiceAccount, name: default, namespace: net}
  - {kind: Group, name: 'system:serviceaccounts:net'}
defaulting: Enabled
podSecurityLabels: 'Off'
adminAccessLabel: Guarded
overrides:
  capabilities:
    allowedAdd: [NET_RAW, CHOWN]
    allowedAddInUserNamespace: [SYS_PTRACE]
    requiredDrop: [ALL]
    dropByName: true
    defaultAdd: [CHOWN]
    allowedBounding: [NET_RAW, CHOWN]
  privileged: false
  allowPrivilegeEscalation: false
  defaultAllowPrivilegeEscalation: false
  hostNetwork: true
  hostPID: false
  hostIPC: false
  hostProcess: false
  hostProbes: true
  hostPorts:
    - {min: 80, max: 90}
    - {min: 8080, max: 8080}
  volumes: [configMap, secret, hostPath, csi, flexVolume]
  serviceAccountTokenVolumes: true
  hostPaths:
    - {pathPrefix: /var/log, readOnly: true}
    - {pathPrefix: /srv}
  flexVolumeDrivers: [example.org/one]
  csiDrivers: [secrets.example.org]
  runAsNonRoot: true
  runAsUser:
    rule: MustRunAs
    ranges: [{min: 1000, max: 2000}]
  runAsGroup:
    rule: MayRunAs
    ranges: [{min: 1000, max: 2000}]
  supplementalGroups:
    rule: MayRunAs
    ranges: [{min: 1000, max: 2000}]
  fsGroup:
    rule: MayRunAs
    ranges: [{min: 1000, max: 2000}]
  seccomp:
    types: [RuntimeDefault, Localhost, OCI]
    localhostProfiles: [one.json]
    ociReferences: [registry.example.org/profiles/*]
    unset: Refused
    default: {type: RuntimeDefault}
  appArmor:
    types: [RuntimeDefault, Localhost]
    localhostProfiles: [one]
    unset: Allowed
    default: {type: RuntimeDefault}
  seLinux:
    rule: MustRunAs
    options:
      type: container_t
      level: s0
  procMount: {types: [Default]}
  sysctls:
    allowed: [net.core.somaxconn]
    forbidden: [kernel.*]
  readOnlyRootFilesystem: true
  runtimeClasses:
    allowed: [gvisor]
    default: gvisor
`.trim();

/** The overrides that the text `STATED` lacks. Each override has the value of its rule's example. */
const OTHERS = Object.entries(EVERYTHING_RESTRICTED).flatMap(([field, value]) =>
  STATED.includes(`\n  ${field}:`) ? [] : [`  ${field}: ${JSON.stringify(value)}`],
);

export const LINES = [...STATED.split('\n'), ...OTHERS];

/** The given line, and the lines that are indented below it. */
export function block(line: number): number[] {
  const depth = indentation(LINES[line] ?? '');
  const end = LINES.findIndex((one, at) => at > line && indentation(one) <= depth);
  return [...LINES.keys()].slice(line, end < 0 ? undefined : end);
}

/** The spec without the given lines. Lines that are indented below a given line are also removed. */
export function without(lines: readonly number[]): Json {
  const gone = new Set(lines.flatMap(block));
  return dropNulls(load(LINES.filter((_, at) => !gone.has(at)).join('\n')));
}

function indentation(line: string): number {
  return line.length - line.trimStart().length;
}

/**
 * Removes each key with the value null. The value is null because the only entry of the key was removed. YAML would
 * read `overrides:` without an entry as null.
 */
function dropNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(dropNulls);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(entries.map(([key, field]) => [key, dropNulls(field)]));
}
