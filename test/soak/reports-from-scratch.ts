/** Computes the changes that a fresh operator would make to the existing policy reports. */
import { isDeepStrictEqual } from 'node:util';
import type { Api, Json } from '../../hack/controlplane/api.ts';
import { CLEAN_SINCE, OPEN_REPORTS as OPEN_REPORTS_API } from '../../operator/cluster/reports.ts';
import type { ClusterState } from '../../operator/controllers/cluster-state.ts';
import type { NamespaceVerdicts } from '../../operator/evaluate/namespace.ts';
import type { Cluster, NamespaceView } from '../../operator/model/objects.ts';
import { firstReportName, policyReports } from '../../operator/report/policy-report.ts';
import { OPEN_REPORTS } from '../support/report-crds.ts';

interface ReportComparison {
  readonly differences: readonly string[];
  /** The number of reports. */
  readonly reports: number;
}

const OURS = 'app.kubernetes.io/managed-by=capabilitypolicy.dev';

/**
 * Compares all reports. If the CRD is not installed, the comparison finds no differences. The comparison leaves out
 * namespaces that are being deleted, because nobody can create a report in these namespaces.
 */
export async function compareReports(
  api: Api,
  cluster: Cluster,
  state: ClusterState,
  verdicts: ReadonlyMap<string, NamespaceVerdicts>,
): Promise<ReportComparison> {
  const { status, body } = await api.ask('GET', OPEN_REPORTS.path, { query: { labelSelector: OURS } });
  if (status === 404) return { differences: [], reports: 0 };
  // While the API server sets up the storage of a new CRD, the API server answers 429. The next comparison tries again.
  if (status !== 200) return { differences: [`listing reports: ${status} ${body?.message}`], reports: 0 };
  const namespaces = cluster.namespaces().filter(({ terminating }) => !terminating);
  const byNamespace = Map.groupBy(body.items as Json[], ({ metadata }) => metadata.namespace as string);
  const differences = namespaces.flatMap((namespace) => {
    const existing = byName(byNamespace.get(namespace.name) ?? []);
    const wanted = byName(wantedIn(namespace, existing, cluster, state, verdicts.get(namespace.name)));
    const names = new Set([...existing.keys(), ...wanted.keys()]);
    return [...names].flatMap((name) => {
      const [actual, expected] = [existing.get(name), wanted.get(name)].map(timeless);
      if (isDeepStrictEqual(actual, expected)) return [];
      const texts = [actual, expected].map((one) => JSON.stringify(one) ?? 'none');
      return [`report ${namespace.name}/${name}: ${texts.join(' instead of ')}`];
    });
  });
  return { differences, reports: body.items.length };
}

function wantedIn(
  namespace: NamespaceView,
  existing: ReadonlyMap<string, Json>,
  cluster: Cluster,
  state: ClusterState,
  result: NamespaceVerdicts | undefined,
): Json[] {
  const uids = new Map([...cluster.pods(namespace.name)].map(({ name, uid }) => [name, uid]));
  return Object.values(result?.modes ?? {}).flatMap(({ deciding, workloads }) =>
    state.policies.compiled.policies
      .filter(({ name }) => deciding.includes(name))
      .flatMap((policy) => [
        ...policyReports({
          api: OPEN_REPORTS_API,
          policy,
          namespace,
          workloads,
          findIdentity: ({ kind, name }) => {
            const uid = kind === 'Pod' ? uids.get(name) : cluster.workload(namespace.name, kind, name)?.uid;
            return uid === undefined ? undefined : { uid };
          },
          // Only the existing report contains the value of `cleanSince`. All other values are computed.
          cleanSince: existing.get(firstReportName(policy.name))?.metadata.annotations?.[CLEAN_SINCE],
          now: new Date().toISOString(),
        }),
      ]),
  );
}

function byName(reports: readonly Json[]): Map<string, Json> {
  return new Map(reports.map((report) => [report.metadata.name, report]));
}

/** The fields of a report that the operator sets, without the results' times. */
function timeless(report: Json | undefined): Json | undefined {
  if (report === undefined) return undefined;
  const { labels, annotations, ownerReferences } = report.metadata;
  const { scope, source, summary, results } = report;
  const stated = { labels, annotations, ownerReferences, scope, source, summary, results };
  return JSON.parse(JSON.stringify(stated, (key, value) => (key === 'timestamp' ? undefined : value)));
}
