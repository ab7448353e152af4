/**
 * Computes the writes of a fresh operator in the current cluster. The fresh operator writes every status and every
 * report, and repairs drifted objects.
 */
import { isDeepStrictEqual } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { evaluateCluster } from '../../analysis/policies/evaluate-cluster.ts';
import type { Api } from '../../hack/controlplane/api.ts';
import type { CapabilityPolicyStatus, CompletePolicy, Condition } from '../../operator/api/capability-policy.ts';
import type { ProgramOutcome } from '../../operator/apply/outcome.ts';
import { ApiClient } from '../../operator/cluster/client.ts';
import { createCluster } from '../../operator/cluster/store.ts';
import { rowOf } from '../../operator/compile/program.ts';
import { ClusterState } from '../../operator/controllers/cluster-state.ts';
import { grantNeeds, outermost } from '../../operator/evaluate/grant-needs.ts';
import { keyOf } from '../../operator/evaluate/grants.ts';
import type { NamespaceVerdicts } from '../../operator/evaluate/namespace.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { EXCLUDED_NAMESPACES } from '../../operator/model/namespaces.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { buildStatus } from '../../operator/report/status.ts';
import { createLog } from '../../operator/runtime/log.ts';
import { differences } from '../support/rendered.ts';
import { OPERATOR_NAMESPACE } from '../support/rights.ts';
import { grantsAmong } from './grants.ts';
import { PREFIX } from './population.ts';
import { compareReports } from './reports-from-scratch.ts';
import type { WindowState } from './window.ts';

const OPTIONS = {
  operatorNamespace: OPERATOR_NAMESPACE,
  excludedNamespaces: EXCLUDED_NAMESPACES,
  podSecurityDefaults: {},
};

export interface Comparison {
  /**
   * The changes that a fresh operator would make to the cluster. If the operator would change nothing, `differences` is
   * empty.
   */
  readonly differences: readonly string[];
  /** The state of the cluster at the time of the comparison. */
  readonly state: WindowState;
  readonly pods: number;
  readonly reports: number;
}

/** Reads the whole cluster as the administrator, and compares the cluster with the result of a fresh operator. */
export async function compareFromScratch(api: Api, kubeconfig: string): Promise<Comparison> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const client = new ApiClient(config);
  const reading = new AbortController();
  const log = createLog({ level: 'error', format: 'console', stream: process.stderr });
  const { cluster, start, ended } = createCluster(client, { onChange() {}, log });
  try {
    await start(reading.signal);
    const { oldestServer } = cluster;
    const existing = await differences(api, { ...OPTIONS, oldestServer }, (name) => name.startsWith(PREFIX));
    const state = new ClusterState(cluster, OPTIONS);
    state.accept();
    const verdicts = evaluateAll(cluster, state);
    const { reports, differences: ofReports } = await compareReports(api, cluster, state, verdicts);
    return {
      differences: [...existing, ...statusDifferences(cluster, state, verdicts), ...ofReports],
      reports,
      state: stateOf(cluster),
      pods: cluster.namespaces().reduce((sum, { name }) => sum + [...cluster.pods(name)].length, 0),
    };
  } finally {
    reading.abort();
    await ended();
    await client.close();
  }
}

function statusDifferences(
  cluster: Cluster,
  state: ClusterState,
  verdicts: ReadonlyMap<string, NamespaceVerdicts>,
): string[] {
  return cluster.policies().flatMap((policy) => {
    const name = policy.metadata?.name ?? '';
    const [actual, expected] = [policy.status, statusOf(policy, state, verdicts)].map(timeless);
    if (isDeepStrictEqual(actual, expected)) return [];
    return [`status of ${name}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`];
  });
}

function evaluateAll(cluster: Cluster, state: ClusterState): Map<string, NamespaceVerdicts> {
  const evaluation = { evaluator: new Evaluator(), use: state.policies.use };
  return new Map([...evaluateCluster(cluster, state.policies, evaluation)].map((result) => [result.namespace, result]));
}

/** The status of a policy when all rendered objects are in force. */
function statusOf(
  policy: CompletePolicy,
  state: ClusterState,
  verdicts: ReadonlyMap<string, NamespaceVerdicts>,
): CapabilityPolicyStatus {
  const name = policy.metadata?.name ?? '';
  const resolution = state.policies.resolution(name);
  if (!resolution) throw new Error(`policy ${name} was not compiled`);
  const coverage = state.policies.coverage(name);
  const [part] = state.policies.compiled.policies.filter((one) => one.name === name);
  const lastAccepted = state.policies.acceptedText(name);
  const servers = { inForce: 1, answering: 1 };
  const program: ProgramOutcome | undefined = part && {
    state: 'InForce',
    row: rowOf(part, state.policies.compiled),
    servers,
    message: '',
  };
  // The function removes the current status from the policy. A fresh operator must compute the same status from a
  // policy without a status.
  const { status: _, ...bare } = policy;
  // The operator lists a grant as unused some time after the last workload stopped needing the grant. The operator
  // never lists a grant that some workload needs.
  const { unneeded = [] } = grantNeeds(name, coverage?.areas ?? [], verdicts) ?? {};
  const listed = outermost(unneeded).map(keyOf);
  const unusedGrants = (policy.status?.unusedGrants ?? []).filter((grant) => listed.includes(keyOf(grant)));
  return buildStatus({
    policy: bare,
    unusedGrants,
    resolution,
    ...(lastAccepted && { lastAccepted }),
    ...(coverage && { coverage }),
    ...(program && { program }),
    protection: { state: 'Unprotected', servers: { protecting: 0, answering: 1 }, message: '' },
    labels: state.labelOutcomes(coverage?.deciding ?? []),
    verdicts,
    holdersOfAll: state.policies.use.holdersOfAll(),
    olderBindings: state.policies.use.olderBindings(name, String(policy.metadata?.creationTimestamp ?? '')),
    loosenings: state.policies.loosenings(name),
    now: new Date().toISOString(),
  });
}

function timeless(status: CapabilityPolicyStatus | undefined): CapabilityPolicyStatus | undefined {
  const conditions = status?.conditions?.map(({ lastTransitionTime: _, ...condition }) => condition as Condition);
  return status && { ...status, ...(conditions && { conditions }) };
}

function stateOf(cluster: Cluster): WindowState {
  const namespaces = cluster.namespaces().filter(({ name }) => name.startsWith(PREFIX));
  return {
    policies: new Map(cluster.policies().map(({ metadata, spec }) => [metadata?.name ?? '', spec])),
    labels: new Map(namespaces.map(({ name, labels }) => [name, labels])),
    grants: grantsAmong(cluster.roleBindings(), cluster.roles()),
  };
}
