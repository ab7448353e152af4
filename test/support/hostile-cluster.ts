/**
 * A cluster and documents with strings that try to run as code in the page. The API server refuses many of these names,
 * but a user can write any name into a document.
 */
import type { Snapshot, SnapshotPolicy } from '../../analysis/snapshot/document.ts';
import type { CapabilityPolicySpec, CompletePolicy } from '../../operator/api/capability-policy.ts';
import type { Cluster, NamespaceView, PodContent, PodView, WorkloadView } from '../../operator/model/objects.ts';
import { createProjection } from '../../operator/projection/projection.ts';
import { RULES } from '../../operator/rules/index.ts';
import { baselinePolicy } from './policies.ts';
import { settledSnapshot } from './settled-snapshot.ts';
import { binding, clusterOf, ownedBy, podView, useRole, wholeCluster, workloadView } from './views.ts';

/** The global variable that an executed text sets. */
export const ATTACKED = 'attacked';

const ATTACK = `globalThis.${ATTACKED}=1`;

export const HOSTILE_TEXTS: readonly string[] = [
  `<script>${ATTACK}</script>`,
  `</script><script>${ATTACK}</script>`,
  `<img src=x onerror=${ATTACK}>`,
  `"><svg onload=${ATTACK}>`,
  `' onmouseover='${ATTACK}`,
  `javascript:${ATTACK}`,
  '<iframe src=https://attacker.example/></iframe>',
  '<link rel=stylesheet href=https://attacker.example/a.css>',
  'url(https://attacker.example/a.png)',
  '</style><style>*{display:none}</style>',
  `{{constructor.constructor('${ATTACK}')()}}`,
  `\${${ATTACK}}`,
  '<!-- ',
  ']]>&lt;b&gt;&amp;',
  '\u0000\u0007\u001b[2J\u009b31m\r\n\t\u2028',
  '\u202egnp.exe\u2066',
  '\ud800',
  'e\u0301\u0302\u0303'.repeat(20),
  '=HYPERLINK("https://attacker.example","a")',
  '%E0%A4%A&cluster=a#/policies?b=c',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  ' ',
  'a'.repeat(63),
  'b.'.repeat(126),
];

const [SCRIPT, CLOSED_SCRIPT] = HOSTILE_TEXTS as [string, string];

const LABELS = 1_000;

export function hostileCluster(): Cluster {
  const namespaces = HOSTILE_TEXTS.map(namespaceView);
  const workloads = HOSTILE_TEXTS.flatMap((text, index) => [
    workloadView('Deployment', text, { namespace: text, uid: `d-${index}`, template: partsWith(text) }),
    ...replicaSetOf(text, index),
  ]);
  const pods = HOSTILE_TEXTS.flatMap(podsOf);
  const policies = HOSTILE_TEXTS.map(policyNamed).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  return {
    ...wholeCluster(clusterOf(workloads, pods), policies, namespaces),
    roles: () => HOSTILE_TEXTS.map((text) => useRole(text)),
    roleBindings: () => HOSTILE_TEXTS.map((text) => binding(useRole(text).name, { kind: 'User', name: text })),
  };
}

function namespaceView(name: string, index: number): NamespaceView {
  const many = Array.from({ length: LABELS }, (_, number) => [`label-${number}`, SCRIPT]);
  return {
    name,
    uid: `n-${index}`,
    terminating: index === 1,
    labels: Object.fromEntries([
      ['kubernetes.io/metadata.name', name],
      [name, name],
      ['place', `${index % 5}`],
      ['pod-security.kubernetes.io/enforce', name],
      ...(index === 0 ? many : []),
    ]),
    recorded: index % 2 === 0 ? name : JSON.stringify({ [name]: name }),
    labelOwners: { 'pod-security.kubernetes.io/enforce': [{ manager: name, operation: 'Update' }] },
  };
}

function replicaSetOf(text: string, index: number): WorkloadView[] {
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: text, uid: `d-${index}` };
  return [
    workloadView('ReplicaSet', `${text}-1`, {
      namespace: text,
      uid: `r-${index}`,
      owner,
      replicas: 1,
      template: partsWith(text),
    }),
  ];
}

function podsOf(text: string, index: number): PodView[] {
  const pod = (name: string, fields: Partial<PodView>) =>
    podView(name, { namespace: text, uid: `${name}-${index}`, ...partsWith(text), serviceAccount: text, ...fields });
  return [
    pod(`${text}-1-a`, { owner: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${text}-1`, uid: `r-${index}` } }),
    pod(text, {}),
    pod(`${text}-custom`, ownedBy(text, text, `${text}/v1`)),
    pod(`${text}-mirror`, { mirror: true }),
  ];
}

const projection = createProjection(RULES);

/** A pod that breaks most rules, with the given string in each of its string fields. */
function partsWith(text: string): PodContent {
  const annotations = Object.fromEntries([
    [`container.apparmor.security.beta.kubernetes.io/${text}`, text],
    ['container.seccomp.security.alpha.kubernetes.io/app', text],
  ]);
  const container = {
    name: text,
    image: text,
    securityContext: {
      privileged: true,
      procMount: text,
      capabilities: { add: [text, 'NET_ADMIN', 'SYS_ADMIN'], drop: [text] },
      seccompProfile: { type: text, localhostProfile: text },
      seLinuxOptions: { type: text, user: text },
    },
    ports: [{ name: text, hostPort: 80 }],
    livenessProbe: { httpGet: { host: text } },
  };
  const volumes = [
    { name: text, hostPath: { path: text } },
    { name: `${text}-unknown`, ...Object.fromEntries([[text, {}]]) },
    { name: `${text}-csi`, csi: { driver: text } },
  ];
  const spec = {
    serviceAccountName: text,
    runtimeClassName: text,
    hostNetwork: true,
    securityContext: { sysctls: [{ name: text, value: text }], appArmorProfile: { type: text } },
    initContainers: [{ ...container, name: `${text}-init` }],
    containers: [container, { name: 'app' }],
    ephemeralContainers: [{ ...container, name: `${text}-debug` }],
    volumes,
  };
  return projection.content({ metadata: { annotations }, spec });
}

type Spec = Partial<CapabilityPolicySpec>;

function policyNamed(name: string, index: number): CompletePolicy {
  // The API server and cappol replace the parts of a string that are not well-formed Unicode.
  const text = name.toWellFormed();
  const modes = ['Enforce', 'Warn', 'Audit'] as const;
  const spec: Spec = {
    namespaceSelector: { matchLabels: { place: `${index % 5}` } },
    mode: modes[index % 3] ?? 'Audit',
    priority: index,
    reason: text,
    ...(index % 4 === 0 && { usableBy: 'Subjects', subjects: [{ kind: 'User', name: text }] }),
    ...(index % 4 === 1 && { usableBy: 'Bindings' }),
    ...(index % 6 === 3 && { expires: '2026-11-27T00:00:00Z' }),
    ...(index % 9 === 6 && { expires: '2026-01-01T00:00:00Z' }),
    ...(index % 3 === 0 && { rollout: { soak: '1h' } }),
    containers: [{ names: [text], images: [text], overrides: { capabilities: { allowedAdd: ['NET_ADMIN'] } } }],
    overrides: {
      hostPaths: [{ pathPrefix: text }],
      volumes: [text],
      csiDrivers: [text],
      sysctls: { allowed: [text] },
      runtimeClasses: { allowed: [text] },
    },
  };
  const made = baselinePolicy(name, spec);
  return { ...made, metadata: { ...made.metadata, uid: `uid-${index}` } };
}

function nameOf({ metadata }: CompletePolicy): string {
  return metadata?.name ?? '';
}

/** Unusual statuses that another version of the operator, or a user with an editor, may have written. */
const STRANGE_STATUSES: readonly object[] = [
  {},
  { conditions: [] },
  { conditions: [{ type: SCRIPT, status: 'Perhaps', reason: CLOSED_SCRIPT, message: SCRIPT, lastTransitionTime: '' }] },
  {
    conditions: [
      {
        type: 'Ready',
        status: 'False',
        reason: 'Unheard',
        message: `${SCRIPT} `.repeat(1_000),
        lastTransitionTime: 'yesterday',
      },
    ],
  },
  { workloads: { evaluated: -1, violating: 1e21, unknown: 0 }, violationsTotal: 1e21 },
  { rollout: { enforced: 1, soaking: 0, blocked: 0, progress: SCRIPT } },
];

/** The hostile cluster as a snapshot, with further edits. */
export function hostileSnapshot(context: string = CLOSED_SCRIPT): Snapshot {
  const snapshot = settledSnapshot(hostileCluster(), context);
  const policies = snapshot.policies.map((policy, index): SnapshotPolicy => {
    const status = STRANGE_STATUSES[index];
    return status ? { ...policy, status } : policy;
  });
  const [namespace, ...namespaces] = snapshot.namespaces;
  const verdicts = namespace?.verdicts.map((verdict) => ({ ...verdict, verdict: 'Dubious', mode: 'Suggest' }));
  const edited = namespace && { ...namespace, verdicts: [...namespace.verdicts, ...(verdicts ?? [])] };
  return {
    ...snapshot,
    policies,
    namespaces: [...(edited ? [edited as typeof namespace] : []), ...namespaces],
    missing: [`${SCRIPT} may not be listed`],
  };
}
