/**
 * Makes the policy reports about a policy in a namespace. A report has the format of openreports.io or of
 * wgpolicyk8s.io. Policy Reporter shows both formats. A large report is split into several reports. The hash of a
 * workload's name determines the report of the workload. A change of one workload therefore changes a single report.
 */
import { createHash } from 'node:crypto';
import type { Violation } from '../api/capability-policy.ts';
import { CLEAN_SINCE, DIGEST, OPEN_REPORTS, type ReportApi } from '../cluster/reports.ts';
import { metadata, POLICY_LABEL } from '../compile/objects.ts';
import { violationsBy } from '../evaluate/verdict.ts';
import type { WorkloadVerdict } from '../evaluate/workload-verdict.ts';
import { workloadText } from '../evaluate/workloads.ts';
import type { NamespaceView } from '../model/objects.ts';
import type { ResolvedPolicy } from '../policy/resolve.ts';
import { RULES } from '../rules/index.ts';
import { referenceProperties } from '../standards/hardening-guides.ts';
import { counted } from '../text/wording.ts';
import { inSeconds } from './conditions.ts';
import { regardingWorkload } from './events.ts';
import type { FindIdentity } from './violation-events.ts';
import { entriesOf } from './violations.ts';

export interface PolicyReportInput {
  readonly api: ReportApi;
  readonly policy: Pick<ResolvedPolicy, 'name' | 'uid' | 'mode' | 'standard'>;
  readonly namespace: Pick<NamespaceView, 'name' | 'uid'>;
  /** All workloads of the namespace that were evaluated by the policy. */
  readonly workloads: readonly WorkloadVerdict[];
  readonly findIdentity: FindIdentity;
  /**
   * The namespace has had no violations since this time. The format is RFC 3339. An earlier report contains this time.
   */
  readonly cleanSince: string | undefined;
  /** The current time, in ISO 8601 and UTC. */
  readonly now: string;
}

export interface PolicyReport extends ReportApi {
  readonly metadata: ReturnType<typeof metadata> & {
    readonly namespace: string;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly scope: object;
  /**
   * A field of each result in a report of the format wgpolicyk8s.io. The format openreports.io does not have this
   * field.
   */
  readonly source?: string;
  /** The summary. The summary counts every result about a violation and every compliant workload. */
  readonly summary: Readonly<Record<'pass' | 'fail' | 'warn' | 'error' | 'skip', number>>;
  readonly results: readonly Result[];
}

interface Result {
  readonly source: string;
  readonly policy: string;
  readonly rule?: string;
  readonly category: string;
  readonly severity: 'medium' | 'info';
  readonly result: 'pass' | 'fail' | 'warn';
  readonly scored: boolean;
  readonly message: string;
  readonly resources: readonly object[];
  readonly timestamp: { readonly seconds: number; readonly nanos: number };
  readonly properties: Readonly<Record<string, string>>;
}

/** The annotation with the number of results that did not fit into the report. The summary counts these results. */
export const LEFT_OUT = 'capabilitypolicy.dev/results-left-out';

const SOURCE = 'capabilitypolicy';
/** The size limit for all results of one report, as JSON. An object in etcd has at most 1.5 MiB. */
const PART_BYTES = 256 * 1024;
/**
 * The size limit for all results of one workload, as JSON. A pod may have hundreds of containers, and each container
 * may break every rule.
 */
const WORKLOAD_BYTES = 32 * 1024;
/**
 * The maximum number of reports of one policy in one namespace. All reports of a policy in a namespace together have at
 * most 64 MiB. 64 MiB are enough for about 100,000 results.
 */
const MOST_REPORTS = 256;

/**
 * Yields one report at a time, because all reports together may be large. The function yields at least one report.
 * Equal inputs give reports with equal bytes.
 */
export function* policyReports(input: PolicyReportInput): Generator<PolicyReport> {
  const count = reportsNeeded(input);
  const groups = Map.groupBy(input.workloads, (workload) => indexOf(workload, count));
  const clean = !input.workloads.some(({ verdict }) => verdict === 'Violating');
  const since = clean ? (input.cleanSince ?? inSeconds(input.now)) : undefined;
  for (let index = 0; index < count; index++) {
    if (index === 0 || groups.has(index)) yield report(input, index, groups.get(index) ?? [], since);
  }
}

/**
 * The name of a policy's first report. Only the first report says since when the namespace has had no violations.
 */
export function firstReportName(policy: string): string {
  return reportName(policy, 0);
}

/**
 * Makes the name of a report. The name always ends in a number. Without the number, the second report of policy `a` and
 * the first report of policy `a-2` would have the same name.
 */
function reportName(policy: string, index: number): string {
  return `${SOURCE}-${policy}-${index + 1}`;
}

function report(
  input: PolicyReportInput,
  index: number,
  workloads: readonly WorkloadVerdict[],
  since: string | undefined,
): PolicyReport {
  const { api, policy, namespace } = input;
  const sinceHere = index === 0 ? since : undefined;
  const all = workloads.flatMap((workload) => resultsOf(workload, input));
  const kept = within(
    PART_BYTES,
    workloads.flatMap((workload) => keptOf(workload, input)),
  );
  const compliant = workloads.filter(({ verdict }) => verdict === 'Compliant').length;
  const count = (result: Result['result']) => all.filter((one) => one.result === result).length;
  const content = {
    scope: { apiVersion: 'v1', kind: 'Namespace', name: namespace.name, uid: namespace.uid },
    ...(api === OPEN_REPORTS && { source: SOURCE }),
    summary: { pass: compliant, fail: count('fail'), warn: count('warn'), error: 0, skip: 0 },
    results: sinceHere === undefined ? kept : [passed(input, sinceHere), ...kept],
  };
  const annotations = {
    ...(sinceHere !== undefined && { [CLEAN_SINCE]: sinceHere }),
    ...(kept.length < all.length && { [LEFT_OUT]: String(all.length - kept.length) }),
  };
  const common = metadata([policy], reportName(policy.name, index), { [POLICY_LABEL]: policy.name });
  return {
    apiVersion: api.apiVersion,
    kind: api.kind,
    metadata: {
      ...common,
      namespace: namespace.name,
      annotations: { ...annotations, [DIGEST]: digestOf([common, annotations, content]) },
    },
    ...content,
  };
}

function keptOf(workload: WorkloadVerdict, input: PolicyReportInput): readonly Result[] {
  return within(WORKLOAD_BYTES, resultsOf(workload, input));
}

function resultsOf(workload: WorkloadVerdict, input: PolicyReportInput): Result[] {
  const { policy, findIdentity } = input;
  const resource = regardingWorkload(workload, workload.custom ?? findIdentity(workload));
  return entriesOf(workload, violationsBy(policy.name, workload.violations)).map(
    ({ verdict, rule, message, container, pods }: Violation): Result => ({
      ...commonOf(input),
      ...(rule && { rule }),
      severity: 'medium',
      // If a violation depends on the unknown creator of a pod, the report lists a warning and not a failure.
      result: verdict === 'Violating' ? 'fail' : 'warn',
      scored: verdict === 'Violating',
      message: message ?? '',
      resources: [resource],
      timestamp: timestamp(input.now),
      properties: { mode: policy.mode, pods: String(pods), ...(container && { container }), ...referencesBy(rule) },
    }),
  );
}

const GUIDES = new Map(RULES.map(({ id, guides }) => [id, referenceProperties(guides)]));

/**
 * Returns the properties of a rule. The properties name the recommendations of hardening guides that the rule covers.
 * Violations without a rule, such as a missing right to use the policy, have no properties.
 */
function referencesBy(rule: string | undefined): Readonly<Record<string, string>> {
  return GUIDES.get(rule ?? '') ?? {};
}

/**
 * Makes the single result about all compliant workloads. This result makes a namespace without violations visible in
 * tools that show only results.
 */
function passed(input: PolicyReportInput, since: string): Result {
  const { namespace, policy, workloads } = input;
  return {
    ...commonOf(input),
    severity: 'info',
    result: 'pass',
    scored: true,
    message: `none of ${counted(workloads.length, 'workload')} violates the policy`,
    resources: [{ apiVersion: 'v1', kind: 'Namespace', name: namespace.name, uid: namespace.uid }],
    timestamp: timestamp(since),
    properties: { mode: policy.mode, cleanSince: since },
  };
}

function commonOf({ policy }: PolicyReportInput) {
  const { level } = policy.standard;
  // The category has the form that Kyverno's policies for the Pod Security Standards use.
  const category = `Pod Security Standards (${level.charAt(0).toUpperCase()}${level.slice(1)})`;
  return { source: SOURCE, policy: policy.name, category };
}

/**
 * The number of reports that the results need. The number of reports is a power of two. When the results no longer fit,
 * each report is split in half.
 */
function reportsNeeded(input: PolicyReportInput): number {
  const sizes = input.workloads
    .filter(({ verdict }) => verdict !== 'Compliant')
    .map((workload) => ({ hash: hashOf(workload), bytes: sizeOf(keptOf(workload, input)) }));
  for (let count = 1; count < MOST_REPORTS; count *= 2) {
    const filled = new Array<number>(count).fill(0);
    for (const { hash, bytes } of sizes) filled[hash % count] = (filled[hash % count] ?? 0) + bytes;
    if (filled.every((bytes) => bytes <= PART_BYTES)) return count;
  }
  return MOST_REPORTS;
}

function indexOf(workload: WorkloadVerdict, count: number): number {
  return count === 1 ? 0 : hashOf(workload) % count;
}

function hashOf(workload: WorkloadVerdict): number {
  return createHash('sha256').update(workloadText(workload)).digest().readUInt32BE();
}

function within(bytes: number, results: readonly Result[]): readonly Result[] {
  let size = 0;
  const end = results.findIndex((result) => {
    size += sizeOf([result]);
    return size > bytes;
  });
  return end === -1 ? results : results.slice(0, end);
}

function sizeOf(results: readonly Result[]): number {
  return results.reduce((sum, result) => sum + Buffer.byteLength(JSON.stringify(result)) + 1, 0);
}

function digestOf(content: unknown): string {
  const text = JSON.stringify(content, (key, value) => (key === 'timestamp' ? undefined : value));
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function timestamp(time: string): Result['timestamp'] {
  return { seconds: Math.floor(Date.parse(time) / 1000), nanos: 0 };
}
