/** The metrics of policies, computed at each scrape. No metric has a label for a pod or workload. */
import { Gauge, type Registry } from 'prom-client';
import type { CapabilityPolicy, CompletePolicy, CompleteRollout } from '../api/capability-policy.ts';
import type { NamespaceVerdicts } from '../evaluate/namespace.ts';
import type { Cluster, PodSpec } from '../model/objects.ts';
import { parseTime } from '../policy/expiry.ts';
import { durationMs } from '../promotion/duration.ts';

type Objects = Pick<Cluster, 'policies' | 'pods' | 'workloads'>;
/** The verdicts of each namespace. The key is the namespace's name. */
type VerdictsByNamespace = ReadonlyMap<string, NamespaceVerdicts>;
type Series = readonly [labels: Readonly<Record<string, string>>, value: number];

type AddGauge = (name: string, help: string, labelNames: readonly string[], series: () => Iterable<Series>) => Gauge;

export function exportPolicies(registry: Registry, cluster: Objects, verdicts: VerdictsByNamespace): void {
  const gauge: AddGauge = (name, help, labelNames, series) =>
    new Gauge({
      name: `capabilitypolicy_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const [labels, value] of series()) this.set(labels, value);
      },
    });
  const byPolicy = (name: string, help: string, read: (policy: CapabilityPolicy) => number) =>
    gauge(name, help, ['policy'], () => cluster.policies().map((one) => [{ policy: nameOf(one) }, read(one)]));
  const specs = () => Iterator.from(specsIn(verdicts.keys(), cluster));
  gauge(
    'violating_workloads',
    'Number of workloads that a policy does not admit, by violated rule and mode of the policy.',
    ['policy', 'namespace', 'rule', 'mode'],
    () => violating(verdicts),
  );
  byPolicy('programmed', 'Whether the current text of the policy is in force (1) or not yet (0).', isProgrammed);
  byPolicy(
    'label_conflicts',
    'Number of namespaces where another owner manages a label that the operator would set.',
    ({ status }) => status?.namespaces?.conflicting ?? 0,
  );
  byPolicy(
    'refused_labels',
    'Number of namespaces where the API server does not let the operator write a label.',
    ({ status }) => status?.namespaces?.refused ?? 0,
  );
  gauge(
    'unused_grants',
    'Number of values, entries and subjects of the policy that no workload needs. Absent until the workloads have been evaluated.',
    ['policy'],
    () => cluster.policies().flatMap(unusedGrants),
  );
  gauge(
    'oldest_unused_grant_timestamp_seconds',
    'The time at which the oldest unused grant of the policy became unused, in seconds since 1970.',
    ['policy'],
    () => cluster.policies().flatMap(oldestUnusedGrant),
  );
  gauge(
    'expires_timestamp_seconds',
    'The time in spec.expires, in seconds since 1970. Absent for policies without spec.expires.',
    ['policy'],
    () => cluster.policies().flatMap(endOf),
  );
  gauge(
    'workloads',
    'Number of evaluated workloads of a policy, by verdict. Each workload counts once, even if it violates several rules.',
    ['policy', 'verdict'],
    () => cluster.policies().flatMap(workloadVerdicts),
  );
  exportRollouts(gauge, cluster);
  byPolicy('status_bytes', "Size of the policy's status.", ({ status }) =>
    Buffer.byteLength(JSON.stringify(status ?? {})),
  );
  gauge('evaluated_objects', 'Number of pods and templates with a verdict.', [], () => [
    [{}, specs().reduce((count) => count + 1, 0)],
  ]);
  // The projection shares one object among equal specs. So the set of specs contains each distinct spec once.
  gauge('distinct_fingerprints', 'Number of distinct pod specs among the evaluated objects.', [], () => [
    [{}, new Set(specs()).size],
  ]);
}

function exportRollouts(gauge: AddGauge, cluster: Pick<Cluster, 'policies'>): void {
  const byRollout = (name: string, help: string, read: (rollout: CompleteRollout) => number) =>
    gauge(`rollout_${name}`, help, ['policy'], () =>
      cluster
        .policies()
        .flatMap((one): Series[] => (one.spec.rollout ? [[{ policy: nameOf(one) }, read(one.spec.rollout)]] : [])),
    );
  gauge(
    'rollout_namespaces',
    'Number of namespaces of a policy with a rollout, by state: enforced, soaking or blocked. Soaking and blocked namespaces are pending.',
    ['policy', 'state'],
    () => cluster.policies().flatMap(rolloutStates),
  );
  byRollout(
    'soak_seconds',
    'How long a namespace must be compliant before the policy is enforced in the namespace.',
    ({ soak }) => {
      return durationMs(soak) / 1_000;
    },
  );
  byRollout('paused', 'Whether the rollout is paused (1) or not (0).', ({ paused }) => Number(paused));
}

/**
 * The number of namespaces in each state of a rollout, including zeros. The result is empty for a policy without a
 * rollout. With a rollout, the result is empty until the namespaces of the rollout have been read.
 */
function rolloutStates(policy: CompletePolicy): Series[] {
  const counts = policy.spec.rollout && policy.status?.rollout;
  if (!counts) return [];
  const { enforced = 0, soaking = 0, blocked = 0 } = counts;
  return Object.entries({ enforced, soaking, blocked }).map(([state, count]) => [
    { policy: nameOf(policy), state },
    count,
  ]);
}

function* specsIn(namespaces: Iterable<string>, cluster: Objects): Generator<PodSpec> {
  for (const namespace of namespaces) {
    for (const { spec } of cluster.pods(namespace)) yield spec;
    for (const { template } of cluster.workloads(namespace)) yield template.spec;
  }
}

/**
 * Returns 1 if the condition Programmed is True for the current generation of the policy. In all other cases, the
 * result is 0.
 */
function isProgrammed({ metadata, status }: CapabilityPolicy): number {
  const programmed = status?.conditions?.find(({ type }) => type === 'Programmed');
  return Number(programmed?.status === 'True' && programmed.observedGeneration === metadata?.generation);
}

function unusedGrants(policy: CapabilityPolicy): Series[] {
  const { workloads, unusedGrants: unused = [] } = policy.status ?? {};
  return workloads ? [[{ policy: nameOf(policy) }, unused.length]] : [];
}

function oldestUnusedGrant(policy: CapabilityPolicy): Series[] {
  const times = (policy.status?.unusedGrants ?? []).map(({ since }) => Date.parse(since));
  return times.length === 0 ? [] : [[{ policy: nameOf(policy) }, Math.min(...times) / 1_000]];
}

function endOf(policy: CapabilityPolicy): Series[] {
  const expires = parseTime(policy.spec.expires ?? '');
  return expires === undefined ? [] : [[{ policy: nameOf(policy) }, expires / 1000]];
}

/**
 * The number of workloads with each verdict, including zeros. The result is empty until all namespaces have been
 * evaluated.
 */
function workloadVerdicts(policy: CapabilityPolicy): Series[] {
  const { evaluated = 0, violating = 0, unknown = 0 } = policy.status?.workloads ?? {};
  const counts = policy.status?.workloads ? { compliant: evaluated - violating - unknown, violating, unknown } : {};
  return Object.entries(counts).map(([verdict, count]) => [{ policy: nameOf(policy), verdict }, count]);
}

/** The numbers of violating workloads. The function leaves out zeros. */
function* violating(verdicts: VerdictsByNamespace): Generator<Series> {
  for (const { namespace, modes } of verdicts.values()) {
    for (const [mode, { workloads }] of Object.entries(modes)) {
      const broken = workloads.flatMap(({ verdict, violations }) => {
        const rules = Object.entries(verdict === 'Violating' ? violations : {});
        return rules.flatMap(([policy, all]) =>
          [...new Set(all.map(({ rule }) => rule))].map((rule) => [policy, rule]),
        );
      });
      const groups = Map.groupBy(broken, ([policy, rule]) => `${policy}\n${rule}`);
      for (const same of groups.values()) {
        const [[policy = '', rule = ''] = []] = same;
        yield [{ policy, namespace, rule, mode }, same.length];
      }
    }
  }
}

function nameOf({ metadata }: CapabilityPolicy): string {
  return metadata?.name ?? '';
}
