/** Whatever line leaves a policy in Git leaves the policy in the cluster, however Argo CD applies and compares. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { load } from 'js-yaml';
import type { Json } from '../integration/api.ts';
import { POLICIES } from '../integration/rendered.ts';
import { application } from './applications.ts';
import { MODES, type Mode, policyOf, REPLACE, slug } from './objects.ts';
import type { Scenario } from './side-by-side.ts';
import type { Stage } from './stage.ts';

/** A spec that states every field. A selector that no namespace has: hundreds of copies decide nowhere. */
const FULL = `
namespaceSelector:
  matchLabels:
    argo-lines: none
    team: net
  matchExpressions:
    - {key: stage, operator: NotIn, values: [old]}
level: restricted
levelVersion: v1.30
mode: Enforce
priority: 10
usableBy: Subjects
subjects:
  - {kind: ServiceAccount, name: default, namespace: net}
  - {kind: Group, name: 'system:serviceaccounts:net'}
defaulting: Enabled
podSecurityLabels: 'Off'
overrides:
  capabilities:
    allowedAdd: [NET_RAW, CHOWN]
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
    types: [RuntimeDefault, Localhost]
    localhostProfiles: [one.json]
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

const FULL_SPEC = load(FULL);
/** So many lines leave Git in one commit, each another copy. */
const COPIES = 12;

interface Variant {
  /** The line that is removed, with what is indented below it. */
  readonly line: string;
  readonly spec: Json;
}

export function lineScenarios(stage: () => Stage): Scenario[] {
  return [...MODES, REPLACE].map((mode) => ({
    title: `a line that leaves a policy in Git takes effect, whichever it is, by ${mode.title}`,
    run: () => removeEachLine(stage(), mode),
  }));
}

async function removeEachLine(stage: Stage, mode: Mode): Promise<void> {
  const name = `lines-${slug(mode)}`;
  const variants = await accepted(stage, withoutEach());
  assert.ok(variants.length >= 45, `only ${variants.map(({ line }) => line.trim())}`);
  const repository = stage.repository();
  const names = Array.from({ length: COPIES }, (_, index) => `${name}-${index}`);
  const commit = (specs: readonly Json[]) => {
    const spec = (index: number) => specs[index] ?? FULL_SPEC;
    return repository.commit({ 'policies.yaml': names.map((one, index) => ({ ...policyOf(one), spec: spec(index) })) });
  };
  await stage.applications.create(application(name, { url: repository.url, ...mode }));
  await stage.applications.synced(name, commit([]), 180_000);
  const stayed: string[] = [];
  for (let first = 0; first < variants.length; first += COPIES) {
    const chunk = variants.slice(first, first + COPIES);
    await stage.applications.synced(name, commit(chunk.map(({ spec }) => spec)), 180_000);
    for (const [index, { line, spec }] of chunk.entries()) {
      const live = await stage.policy(names[index] ?? '');
      if (!isDeepStrictEqual(live?.spec, spec)) stayed.push(line.trim());
    }
  }
  assert.deepEqual(stayed, []);
}

/** FULL without one line each, and what is indented below that. */
function withoutEach(): Variant[] {
  const lines = FULL.split('\n');
  return lines.map((line, index) => {
    const depth = indentation(line);
    const next = lines.findIndex((one, at) => at > index && indentation(one) <= depth);
    const rest = [...lines.slice(0, index), ...(next < 0 ? [] : lines.slice(next))];
    return { line, spec: dropNulls(load(rest.join('\n'))) };
  });
}

/** Some lines no policy can be without. */
async function accepted(stage: Stage, variants: readonly Variant[]): Promise<Variant[]> {
  const query = { dryRun: 'All', fieldValidation: 'Strict' };
  const answers = await Promise.all(
    variants.map(({ spec }) => stage.api.ask('POST', POLICIES, { query, body: { ...policyOf('dry-run'), spec } })),
  );
  return variants.filter((_, index) => answers[index]?.status === 201);
}

function indentation(line: string): number {
  return line.length - line.trimStart().length;
}

/** A key whose only entry is removed is removed, too: `overrides:` alone is null. */
function dropNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(dropNulls);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(entries.map(([key, field]) => [key, dropNulls(field)]));
}
