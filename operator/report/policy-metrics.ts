/** The metrics of policies, read at each scrape. None has a label for a pod or workload. */
import { Gauge, type Registry } from 'prom-client';
import type { CapabilityPolicy } from '../api/capability-policy.ts';
import type { NamespaceJudgement } from '../evaluate/namespace.ts';
import type { Cluster, PodSpec } from '../model/objects.ts';
import { parseTime } from '../policy/expiry.ts';

type Objects = Pick<Cluster, 'policies' | 'pods' | 'workloads'>;
/** By namespace. */
type Judgements = ReadonlyMap<string, NamespaceJudgement>;
type Series = readonly [labels: Readonly<Record<string, string>>, value: number];

export function exportPolicies(registry: Registry, cluster: Objects, judgements: Judgements): void {
  const gauge = (name: string, help: string, labelNames: readonly string[], series: () => Iterable<Series>) =>
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
  const specs = () => Iterator.from(specsIn(judgements.keys(), cluster));
  gauge(
    'violating_workloads',
    'Workloads that a policy does not admit, by the rule they break and the mode of the policy.',
    ['policy', 'namespace', 'rule', 'mode'],
    () => violating(judgements),
  );
  byPolicy('programmed', 'Whether the current text of the policy is in force (1) or not yet (0).', isProgrammed);
  byPolicy(
    'label_conflicts',
    'Namespaces where a label of another owner is in the way.',
    ({ status }) => status?.namespaces?.conflicting ?? 0,
  );
  gauge(
    'expires_timestamp_seconds',
    'The time in spec.expires of policies that have one, in seconds since 1970.',
    ['policy'],
    () => cluster.policies().flatMap(endOf),
  );
  gauge(
    'workloads',
    'Workloads that a policy judges, by verdict; each once, however many rules it breaks.',
    ['policy', 'verdict'],
    () => cluster.policies().flatMap(verdicts),
  );
  byPolicy('status_bytes', "Size of the policy's status.", ({ status }) =>
    Buffer.byteLength(JSON.stringify(status ?? {})),
  );
  gauge('evaluated_objects', 'Pods and templates with a verdict.', [], () => [
    [{}, specs().reduce((count) => count + 1, 0)],
  ]);
  // The projection shares equal specs, and each is evaluated once.
  gauge('distinct_fingerprints', 'Different shapes among the evaluated objects.', [], () => [
    [{}, new Set(specs()).size],
  ]);
}

function* specsIn(namespaces: Iterable<string>, cluster: Objects): Generator<PodSpec> {
  for (const namespace of namespaces) {
    for (const { spec } of cluster.pods(namespace)) yield spec;
    for (const { template } of cluster.workloads(namespace)) yield template.spec;
  }
}

/** Condition Programmed is True for the current generation of the policy. */
function isProgrammed({ metadata, status }: CapabilityPolicy): number {
  const programmed = status?.conditions?.find(({ type }) => type === 'Programmed');
  return Number(programmed?.status === 'True' && programmed.observedGeneration === metadata?.generation);
}

function endOf(policy: CapabilityPolicy): Series[] {
  const expires = parseTime(policy.spec.expires ?? '');
  return expires === undefined ? [] : [[{ policy: nameOf(policy) }, expires / 1000]];
}

/** Includes zeros; empty until everything has been evaluated. */
function verdicts(policy: CapabilityPolicy): Series[] {
  const { evaluated = 0, violating = 0, unknown = 0 } = policy.status?.workloads ?? {};
  const counts = policy.status?.workloads ? { compliant: evaluated - violating - unknown, violating, unknown } : {};
  return Object.entries(counts).map(([verdict, count]) => [{ policy: nameOf(policy), verdict }, count]);
}

/** No zeros. */
function* violating(judgements: Judgements): Generator<Series> {
  for (const { namespace, modes } of judgements.values()) {
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
