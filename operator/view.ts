/** What follows from the cluster as last seen: worked out when it is first asked for, kept until its grounds change. */
import type { CompleteSpec } from './api/capability-policy.ts';
import { planLabels } from './apply/namespace-labels.ts';
import type { LabelOutcome } from './apply/outcome.ts';
import { lastAccepted } from './apply/standing.ts';
import type { Cluster, NamespaceView } from './cluster/objects.ts';
import { type Compiled, compile } from './compile/compile.ts';
import { type PodSecurityDefaults, podSecurityLabels } from './compile/labels.ts';
import type { AdmissionOptions } from './compile/match.ts';
import { createUseIndex, type UseIndex } from './evaluate/use.ts';
import { isExcluded } from './policy/deciding.ts';
import type { Resolution } from './policy/resolve.ts';
import { type Coverage, coverageOf } from './report/coverage.ts';

export interface ViewOptions extends AdmissionOptions {
  readonly podSecurityDefaults: PodSecurityDefaults;
}

export class View {
  readonly #cluster: Cluster;
  readonly #options: ViewOptions;
  #compiled: Compiled | undefined;
  /** By the policy's uid: what stands for a policy may not have been seen yet. */
  #accepted: ReadonlyMap<string, CompleteSpec> = new Map();
  #coverage: ReadonlyMap<string, Coverage> | undefined;
  #use: UseIndex | undefined;

  constructor(cluster: Cluster, options: ViewOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** Policies or API servers changed. */
  forgetPolicies(): void {
    this.#compiled = undefined;
    this.#coverage = undefined;
  }

  /** Others may have led meanwhile: what was last accepted is what stands. */
  forgetAccepted(): void {
    this.#accepted = new Map();
  }

  forgetNamespaces(): void {
    this.#coverage = undefined;
  }

  forgetUse(): void {
    this.#use = undefined;
  }

  get compiled(): Compiled {
    this.#compiled ??= this.#compile();
    return this.#compiled;
  }

  #compile(): Compiled {
    const { operatorNamespace, excludedNamespaces } = this.#options;
    const policies = this.#cluster.policies();
    const compiled = compile(policies, {
      oldestServer: this.#cluster.oldestServer,
      operatorNamespace,
      excludedNamespaces,
      lastAccepted: new Map([...lastAccepted(this.#cluster.rendered()), ...this.#accepted]),
    });
    const accepted = policies.flatMap(({ metadata }) => {
      const spec = compiled.specs.get(metadata?.name ?? '');
      return spec ? [[metadata?.uid ?? '', spec] as const] : [];
    });
    this.#accepted = new Map(accepted);
    return compiled;
  }

  /** By policy. */
  get coverage(): ReadonlyMap<string, Coverage> {
    this.#coverage ??= coverageOf(
      this.compiled.policies,
      this.#cluster.namespaces().filter(({ name }) => !this.isExcluded(name)),
    );
    return this.#coverage;
  }

  get use(): UseIndex {
    this.#use ??= createUseIndex(this.#cluster.roles(), this.#cluster.roleBindings());
    return this.#use;
  }

  resolution(policy: string): Resolution | undefined {
    const refusal = this.compiled.refusals.get(policy);
    if (refusal) return { refusal };
    const resolved = this.compiled.policies.find(({ name }) => name === policy);
    return resolved && { policy: resolved };
  }

  wantedLabels({ name, labels }: NamespaceView): Record<string, string> {
    if (this.isExcluded(name)) return {};
    const { oldestServer } = this.#cluster;
    const { podSecurityDefaults } = this.#options;
    return podSecurityLabels(this.compiled.policies, labels, { oldestServer, podSecurityDefaults });
  }

  isExcluded(namespace: string): boolean {
    const { operatorNamespace, excludedNamespaces } = this.#options;
    return isExcluded(namespace, [operatorNamespace, ...excludedNamespaces]);
  }

  /** @param known what came of labelling; of the others, what their labels say now */
  labelOutcomes(names: readonly string[], known: ReadonlyMap<string, LabelOutcome>): Map<string, LabelOutcome> {
    const entries = names.flatMap((name) => {
      const namespace = this.#cluster.namespace(name);
      if (!namespace) return [];
      return [[name, known.get(name) ?? this.#standing(namespace)] as const];
    });
    return new Map(entries);
  }

  /** What is planned and not there may be refused, and counts for nothing. */
  #standing(namespace: NamespaceView): LabelOutcome {
    const { labels, conflicts } = planLabels(namespace, this.wantedLabels(namespace));
    const there = Object.entries(labels).filter(([key, value]) => namespace.labels[key] === value);
    return outcomeOf(namespace.name, { labels: Object.fromEntries(there), conflicts });
  }
}

export function outcomeOf(
  namespace: string,
  { labels, conflicts }: Pick<ReturnType<typeof planLabels>, 'labels' | 'conflicts'>,
): LabelOutcome {
  return { namespace, applied: labels, conflicts };
}
