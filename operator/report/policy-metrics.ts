/** The metrics of policies. None has a label for a pod or workload. */
import { Gauge, type Registry } from 'prom-client';

export interface PolicyNumbers {
  readonly policy: string;
  /** Condition Programmed is True for the current generation of the policy. */
  readonly programmed: boolean;
  /** Namespaces where a label of another owner is in the way. */
  readonly labelConflicts: number;
  /** The status as JSON, in bytes. */
  readonly statusBytes: number;
  /** The number of workloads with each verdict, including zero; empty until everything has been evaluated. */
  readonly workloads: Readonly<Partial<Record<Verdict, number>>>;
}

type Verdict = 'compliant' | 'violating' | 'unknown';

export interface ViolatingWorkloads {
  readonly policy: string;
  readonly namespace: string;
  readonly rule: string;
  readonly mode: string;
  readonly workloads: number;
}

/** Called at each scrape. */
export interface PolicySources {
  policies(): Iterable<PolicyNumbers>;
  /** Only violating ones: no zeros. */
  violating(): Iterable<ViolatingWorkloads>;
  /** Pods and templates with a verdict. */
  evaluatedObjects(): number;
  /** The number of different shapes among them, which were really evaluated. */
  distinctFingerprints(): number;
}

export function exportPolicies(registry: Registry, sources: PolicySources): void {
  const registers = [registry];
  new Gauge({
    name: 'capabilitypolicy_violating_workloads',
    help: 'Workloads that a policy does not admit, by the rule they break and the mode of the policy.',
    labelNames: ['policy', 'namespace', 'rule', 'mode'],
    registers,
    collect() {
      this.reset();
      for (const { workloads, ...labels } of sources.violating()) this.set(labels, workloads);
    },
  });
  const byPolicy = (name: string, help: string, read: (numbers: PolicyNumbers) => number) =>
    new Gauge({
      name: `capabilitypolicy_${name}`,
      help,
      labelNames: ['policy'],
      registers,
      collect() {
        this.reset();
        for (const numbers of sources.policies()) this.set({ policy: numbers.policy }, read(numbers));
      },
    });
  byPolicy('programmed', 'Whether the current text of the policy is in force (1) or not yet (0).', (one) =>
    Number(one.programmed),
  );
  byPolicy('label_conflicts', 'Namespaces where a label of another owner is in the way.', (one) => one.labelConflicts);
  new Gauge({
    name: 'capabilitypolicy_workloads',
    help: 'Workloads that a policy judges, by verdict; each once, however many rules it breaks.',
    labelNames: ['policy', 'verdict'],
    registers,
    collect() {
      this.reset();
      for (const { policy, workloads } of sources.policies()) {
        for (const [verdict, count] of Object.entries(workloads)) this.set({ policy, verdict }, count);
      }
    },
  });
  byPolicy('status_bytes', "Size of the policy's status.", (one) => one.statusBytes);
  const total = (name: string, help: string, value: () => number) =>
    new Gauge({
      name: `capabilitypolicy_${name}`,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  total('evaluated_objects', 'Pods and templates with a verdict.', () => sources.evaluatedObjects());
  total('distinct_fingerprints', 'Different shapes among the evaluated objects.', () => sources.distinctFingerprints());
}
