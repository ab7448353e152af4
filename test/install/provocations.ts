/**
 * Each right of the operator, with an action and a message. The action needs the right, and the operator reports the
 * message if the right is missing.
 */
import { dirname } from 'node:path/posix';
import { KubeConfig } from '@kubernetes/client-node';
import type { Json } from '../../hack/controlplane/api.ts';
import { COLLECTIONS, renderedObjects } from '../../hack/controlplane/rendered.ts';
import { waitFor } from '../../hack/controlplane/wait.ts';
import { ApiClient } from '../../operator/cluster/client.ts';
import { FollowedReports } from '../../operator/cluster/reports.ts';
import { createCluster } from '../../operator/cluster/store.ts';
import { firstReportName } from '../../operator/report/policy-report.ts';
import { earlierOperator } from '../support/earlier-operator.ts';
import type { TestCluster } from '../support/harness.ts';
import { eventsAbout } from '../support/observed.ts';
import { hostNetworkPod } from '../support/pod-manifests.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { NAMESPACES, POLICIES } from '../support/rendered.ts';
import { OPEN_REPORTS, POLICY_REPORTS, removeReportCrd } from '../support/report-crds.ts';
import { OPERATOR_NAMESPACE, operatorKubeconfig } from '../support/rights.ts';
import { type Right, titleOf } from './single-rights.ts';

export interface Stage {
  readonly cluster: TestCluster;
  /** A policy that makes the operator render one object of every kind. */
  readonly policy: string;
  /** A namespace that the policy selects. */
  readonly namespace: string;
  /**
   * Reads the operator's metrics as a new user. If the operator does not show the metrics, the function returns
   * undefined.
   */
  readonly scrape: () => Promise<string | undefined>;
}

interface Provocation {
  /** The preparation runs before the operator loses the right. */
  readonly prepare?: (stage: Stage) => Promise<void>;
  readonly act: (stage: Stage, right: Right) => Promise<void>;
  /**
   * The operator's message about the missing right. By default, the message says that RBAC refused the request.
   */
  readonly says?: RegExp;
}

const NO_DIGEST = { metadata: { annotations: { 'capabilitypolicy.dev/digest': null } } };
export const LEASE = `/apis/coordination.k8s.io/v1/namespaces/${OPERATOR_NAMESPACE}/leases/capabilitypolicy.dev`;

const NEVER = { spec: { matchConditions: [{ name: 'never', expression: 'false' }] } };

/**
 * Manual changes to rendered objects. If the operator may replace an object, the manual change adds a field that
 * server-side apply would not remove.
 */
const CHANGES: Readonly<Record<string, unknown>> = {
  ValidatingAdmissionPolicy: NEVER,
  ValidatingAdmissionPolicyBinding: [{ op: 'add', path: '/spec/validationActions/-', value: 'Audit' }],
  MutatingAdmissionPolicy: NEVER,
  MutatingAdmissionPolicyBinding: { spec: { paramRef: { name: 'foreign', parameterNotFoundAction: 'Allow' } } },
  ClusterRole: { rules: null },
  ClusterRoleBinding: { subjects: null },
};

/**
 * Actions by verb and resource. After an action, the operator sends a request with the verb and resource. Rights that
 * are not in this list are rights to read.
 */
const PROVOCATIONS: Readonly<Record<string, Provocation>> = {
  ...Object.fromEntries(
    Object.keys(COLLECTIONS).flatMap((kind) => {
      const resource = COLLECTIONS[kind]?.split('/').at(-1) ?? '';
      return Object.entries<Provocation>({
        // Server-side apply of a missing object needs the verbs create and patch.
        create: { act: (stage) => deleteByHand(stage, kind) },
        // The operator replaces programs. When the operator replaces a program, only the creation of the new program is
        // a server-side apply.
        patch: { act: (stage) => (kind.endsWith('AdmissionPolicy') ? deleteByHand : changeByHand)(stage, kind) },
        update: { act: (stage) => changeByHand(stage, kind) },
        delete: { act: (stage) => leaveBehind(stage, kind) },
      }).map(([verb, provocation]) => [`${verb} ${resource}`, provocation]);
    }),
  ),
  ...Object.fromEntries(
    [OPEN_REPORTS, POLICY_REPORTS].flatMap((crd) => {
      const [resource] = crd.name.split('.');
      const prepare = (stage: Stage) => writeReportsTo(stage, crd);
      return Object.entries<Provocation>({
        list: { act: followReports },
        watch: { act: followReports },
        create: { prepare, act: (stage) => stage.cluster.api.remove(reportPath(stage, crd)) },
        patch: { prepare, act: (stage) => stage.cluster.api.patch(reportPath(stage, crd), NO_DIGEST) },
        delete: { prepare, act: (stage) => leaveReportBehind(stage, crd) },
      }).map(([verb, provocation]) => [`${verb} ${resource}`, provocation]);
    }),
  ),
  'patch namespaces': { act: relabel },
  'exempt capabilitypolicies': { act: relabel, says: /that needs the verb exempt/ },
  'use capabilitypolicies': {
    act: (stage) => deleteByHand(stage, 'ClusterRole'),
    says: /attempting to grant RBAC permissions not currently held/,
  },
  // The operator reads the CRD whenever it compiles policies.
  'get customresourcedefinitions': { act: beginTerm },
  'patch capabilitypolicies/status': { act: changePolicy },
  // The operator lists the ConfigMaps at the beginning of a term.
  'list configmaps': { act: beginTerm },
  'create configmaps': { act: async (stage) => void (await rollout(stage, 'created')) },
  'patch configmaps': { act: async (stage) => void (await rollout(stage, 'written')) },
  'delete configmaps': { prepare: rolledOut, act: endRollout },
  // Only an operator that does not know all pod fields checks which values API servers fill in.
  'create podtemplates': { act: (stage) => askDefaults(stage, 'podtemplates') },
  'list mutatingwebhookconfigurations': { act: (stage) => askDefaults(stage, 'mutatingwebhookconfigurations') },
  'create events': { act: violate },
  // The operator patches an Event to count its repetitions in the Event's series.
  'patch events': {
    prepare: (stage) => repaired(stage, 'ClusterRoleBinding'),
    act: (stage) => changeByHand(stage, 'ClusterRoleBinding'),
  },
  // Without the right to get EndpointSlices, the operator assumes that there are several API servers.
  'get endpointslices': { act: follow },
  'get namespaces': { act: restart },
  // The test does nothing for the right to update leases, because the leader renews the Lease all the time.
  'update leases': { act: async () => {} },
  'get leases': { act: ({ cluster }) => cluster.api.remove(LEASE) },
  'create leases': { act: ({ cluster }) => cluster.api.remove(LEASE) },
  'create tokenreviews': { act: scrapeInVain },
  'create subjectaccessreviews': { act: scrapeInVain },
};

/** Makes the preparations before the right is removed. */
export async function prepare(stage: Stage, right: Right): Promise<void> {
  await PROVOCATIONS[`${right.verb} ${right.resource}`]?.prepare?.(stage);
}

/** Resolves when the operator has reported that `right` is missing. */
export async function provoke(stage: Stage, right: Right): Promise<void> {
  const { act, says = refusal(right) } = PROVOCATIONS[`${right.verb} ${right.resource}`] ?? { act: follow };
  const { operator } = stage.cluster;
  const before = operator.log.length;
  await act(stage, right);
  await waitFor(
    `the operator to say that it lacks ${titleOf(right)}`,
    async () => {
      if (act === follow || act === followReports) return true;
      if (operator.log.slice(before).some((entry) => says.test(JSON.stringify(entry)))) return true;
      // If the API server refuses objects of a policy, the policy's status reports the refusal.
      return says.test(JSON.stringify(await stage.cluster.condition(stage.policy, 'Programmed')));
    },
    { intervalMs: 20, timeoutMs: 20_000 },
  );
}

/**
 * The API server's message about a missing right (k8s.io/apiserver, endpoints/handlers/responsewriters
 * ForbiddenMessage).
 */
function refusal({ verb, resource }: Right): RegExp {
  return new RegExp(`cannot ${verb} resource \\\\*"${resource}\\\\*"`);
}

/**
 * Returns the rendered object of the given kind for the policy. The object is the policy's role or binding, or belongs
 * to a program with the policy's row.
 */
async function rendered({ cluster, policy }: Stage, kind: string): Promise<Json> {
  const objects = await renderedObjects(cluster.api);
  const isOfPolicy = ({ metadata: { name, labels } }: Json) =>
    labels['capabilitypolicy.dev/policy'] === policy ||
    /^capabilitypolicy\.(enforce|defaulting)(?!.*-canary)/.test(name);
  const found = objects.find((object) => object.kind === kind && isOfPolicy(object));
  if (!found) throw new Error(`no ${kind} is rendered for ${policy}`);
  return found;
}

function pathOf(kind: string, name: string): string {
  return `${COLLECTIONS[kind]}/${name}`;
}

async function deleteByHand(stage: Stage, kind: string): Promise<void> {
  const { metadata } = await rendered(stage, kind);
  await stage.cluster.api.remove(pathOf(kind, metadata.name));
}

async function changeByHand(stage: Stage, kind: string): Promise<void> {
  const { metadata } = await rendered(stage, kind);
  await stage.cluster.api.patch(pathOf(kind, metadata.name), CHANGES[kind]);
}

/** Causes a new problem that the operator reports. */
async function violate({ cluster, namespace }: Stage): Promise<void> {
  const { spec } = hostNetworkPod() as { spec: object };
  await cluster.api.apply(`${NAMESPACES}/${namespace}/podtemplates/violating`, {
    apiVersion: 'v1',
    kind: 'PodTemplate',
    metadata: { name: 'violating' },
    template: { metadata: { labels: { app: 'violating' } }, spec },
  });
}

/** Resolves when an Event reports the repair of the object. */
async function repaired(stage: Stage, kind: string): Promise<void> {
  const { metadata } = await rendered(stage, kind);
  await changeByHand(stage, kind);
  await waitFor('an Event', async () => {
    const events = await eventsAbout(stage.cluster.api, 'CapabilityPolicy', stage.policy);
    return events.some(({ related }) => related?.kind === kind && related.name === metadata.name);
  });
}

/**
 * Creates an object of a policy that no longer exists. When a user deletes a policy with `Orphan`, the objects of the
 * policy remain.
 */
async function leaveBehind(stage: Stage, kind: string): Promise<void> {
  const { apiVersion, metadata, status, ...rest } = await rendered(stage, kind);
  const labels = { ...metadata.labels, 'capabilitypolicy.dev/policy': 'gone' };
  const name = kind.startsWith('ClusterRole') ? 'capabilitypolicy.dev:use:gone' : 'capabilitypolicy-gone';
  const copy = { apiVersion, ...rest, metadata: { name, labels } };
  await stage.cluster.api.create(COLLECTIONS[kind] ?? '', copy);
}

/** Weakens a label that the operator set. */
async function relabel({ cluster, namespace }: Stage): Promise<void> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'privileged' };
  await cluster.api.patch(`${NAMESPACES}/${namespace}`, { metadata: { labels } });
}

async function changePolicy({ cluster, policy }: Stage): Promise<void> {
  const { spec } = await cluster.api.get(`${POLICIES}/${policy}`);
  await cluster.api.patch(`${POLICIES}/${policy}`, { spec: { priority: (spec.priority ?? 0) + 1 } });
}

/** Reads the cluster once more, as the operator does when it starts. */
async function follow({ cluster }: Stage, right: Right): Promise<void> {
  await failing(cluster, right, async (client, log, signal) => {
    const followed = createCluster(client, { onChange: () => {}, log });
    await followed.start(signal).catch(() => {});
    await followed.ended();
  });
}

async function followReports({ cluster }: Stage, right: Right): Promise<void> {
  await failing(cluster, right, (client, log, signal) =>
    new FollowedReports({ onChange: () => {}, log }).follow(client, signal),
  );
}

/** Waits until `run` has logged that the right is missing. Ends `run` after that. */
async function failing(
  { controlPlane }: TestCluster,
  right: Right,
  run: (client: ApiClient, log: RecordingLog, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(operatorKubeconfig(controlPlane));
  const client = new ApiClient(config);
  const log = new RecordingLog();
  const ending = new AbortController();
  const running = run(client, log, ending.signal);
  const says = refusal(right);
  const refused = () => log.entries.some(({ keys }) => says.test(String(keys.error)));
  try {
    await waitFor(`reading to fail without ${titleOf(right)}`, refused, { intervalMs: 10 });
  } finally {
    ending.abort();
    await running;
    await client.close();
  }
}

/**
 * Resolves when the operator writes reports to the given API. The operator writes PolicyReports only if the API of
 * OpenReports does not exist. The function therefore removes the API of OpenReports first.
 */
async function writeReportsTo(stage: Stage, crd: typeof OPEN_REPORTS): Promise<void> {
  const { api } = stage.cluster;
  if (crd === POLICY_REPORTS) await removeReportCrd(api, OPEN_REPORTS);
  await waitFor('a report', () => api.find(reportPath(stage, crd)));
}

function reportPath({ namespace, policy }: Stage, { path }: typeof OPEN_REPORTS): string {
  return path.replace(/[^/]+$/, `namespaces/${namespace}/$&/${firstReportName(policy)}`);
}

async function leaveReportBehind(stage: Stage, crd: typeof OPEN_REPORTS): Promise<void> {
  const path = reportPath(stage, crd);
  const { apiVersion, kind, metadata, scope } = await stage.cluster.api.get(path);
  const copy = { apiVersion, kind, scope, metadata: { name: 'capabilitypolicy-gone-1', labels: metadata.labels } };
  await stage.cluster.api.create(dirname(path), copy);
}

async function restart({ cluster: { operator } }: Stage): Promise<void> {
  await operator.stop();
  await operator.start();
  await waitFor('the operator to give up', () => !operator.running, { intervalMs: 20 });
}

/**
 * Starts a second operator that does not know one of the pod fields. Adds the log of the second operator to the log of
 * the first operator.
 */
async function askDefaults({ cluster }: Stage, resource: string): Promise<void> {
  const earlier = earlierOperator(cluster.operatorKubeconfig, ['hostUsers']);
  await earlier.start();
  const isRefused = () => earlier.log.some((entry) => JSON.stringify(entry).includes(resource));
  await waitFor('the operator to ask', isRefused, { intervalMs: 20 });
  await earlier.stop();
  cluster.operator.log.push(...earlier.log);
}

async function beginTerm({ cluster: { operator } }: Stage): Promise<void> {
  await operator.stop();
  await operator.startAndWatch();
}

/** Creates a policy with a rollout. The rollout has a state but no namespaces. */
async function rollout({ cluster }: Stage, name: string): Promise<string> {
  const namespaceSelector = { matchLabels: { no: 'body' } };
  return cluster.policy(name, { namespaceSelector, level: 'restricted', mode: 'Enforce', rollout: {} });
}

async function rolledOut(stage: Stage): Promise<void> {
  await stage.cluster.programmed(await rollout(stage, 'ended'));
}

async function endRollout({ cluster }: Stage): Promise<void> {
  await cluster.api.patch(`${POLICIES}/${cluster.named('ended')}`, { spec: { rollout: null } });
}

async function scrapeInVain({ scrape }: Stage): Promise<void> {
  if ((await scrape()) !== undefined) throw new Error('metrics are shown to a user whose rights nobody could check');
}
