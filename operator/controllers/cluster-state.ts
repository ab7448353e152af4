/**
 * What follows from the cluster as last seen, and the findings of controllers, as far as more than one of them needs
 * it. It changes only through `apply` and `accept`, which return what becomes dirty.
 */
import type { CompleteSpec } from '../api/capability-policy.ts';
import { labelOutcome, planLabels } from '../apply/namespace-labels.ts';
import type { LabelOutcome, RolloutOutcome } from '../apply/outcome.ts';
import { lastAccepted } from '../apply/standing.ts';
import { type Compiled, compiler } from '../compile/compile.ts';
import { type PodSecurityDefaults, podSecurityLabels } from '../compile/labels.ts';
import type { AdmissionOptions } from '../compile/match.ts';
import type { NamespaceJudgement } from '../evaluate/namespace.ts';
import { createUseIndex, type UseIndex } from '../evaluate/use.ts';
import type { Change, Cluster, NamespaceView } from '../model/objects.ts';
import { type Concerned, type Coverage, Selections } from '../policy/coverage.ts';
import { isExcluded, isReached } from '../policy/deciding.ts';
import type { Resolution, ResolvedPolicy } from '../policy/resolve.ts';

export interface ClusterStateOptions extends AdmissionOptions {
  readonly podSecurityDefaults: PodSecurityDefaults;
}

/** What happened. */
export type Cause =
  | Change
  /** A leader's term begins or ends: others may have led meanwhile. */
  | { readonly of: 'term' }
  /** Policies were compiled again. */
  | { readonly of: 'accepted' }
  /** An Event waits to be written. */
  | { readonly of: 'events' }
  | Found;

/** A controller has a finding. */
export interface Found {
  readonly of: 'found';
  /** The controller's name. */
  readonly by: string;
  /** The policies that it concerns. */
  readonly policies?: Iterable<string>;
  /** The namespace that it concerns, and with it the policies that select it. */
  readonly namespace?: string;
}

/** The names that a cause makes dirty. */
export interface StateChange extends Concerned {
  readonly cause: Cause;
  /** Policies whose conditions, counts or namespaces may have changed. */
  readonly policies: ReadonlySet<string>;
  /** Namespaces where the deciding policies or their users may have changed, or that changed themselves. */
  readonly namespaces: ReadonlySet<string>;
  /** Whether policies have to be compiled again: the state is stale until `accept`. */
  readonly recompiles: boolean;
}

/** The findings of controllers in this term, each by name of a policy or namespace. The controller writes it. */
interface Findings {
  readonly rollouts: Map<string, RolloutOutcome>;
  readonly labels: Map<string, LabelOutcome>;
  readonly judgements: Map<string, NamespaceJudgement>;
}

const NONE: ReadonlySet<string> = new Set();

export class ClusterState {
  readonly findings: Findings = { rollouts: new Map(), labels: new Map(), judgements: new Map() };
  readonly #cluster: Cluster;
  readonly #options: ClusterStateOptions;
  readonly #compile = compiler();
  readonly #selections = new Selections();
  /** uid and generation of each policy, by name: the source of its last text. */
  readonly #generations = new Map<string, string>();
  #compiled: Compiled = { policies: [], refusals: new Map(), specs: new Map(), rendered: new Map(), guards: [] };
  #byName: ReadonlyMap<string, ResolvedPolicy> = new Map();
  /** By the policy's uid: the watch may not have shown our write yet. */
  #accepted: ReadonlyMap<string, CompleteSpec> = new Map();
  #isStale = true;
  #use: UseIndex | undefined;

  constructor(cluster: Cluster, options: ClusterStateOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** Records what happened. */
  apply(cause: Cause): StateChange {
    switch (cause.of) {
      case 'policy':
        return this.#applyPolicy(cause, cause.name);
      case 'namespace':
        return { ...unchanged(cause), policies: this.#select(cause.name), namespaces: new Set([cause.name]) };
      case 'rbac':
        this.#use = undefined;
        return { ...unchanged(cause), ...this.#restricted() };
      case 'servers':
        this.#isStale ||= cause.oldest;
        return { ...unchanged(cause), recompiles: cause.oldest };
      case 'term':
        return this.#forgetTerm(cause);
      case 'found':
        return { ...unchanged(cause), policies: this.#about(cause) };
      default:
        return unchanged(cause);
    }
  }

  /** Whether `accept` has to be called before anything is read. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Compiles the current policies. Those that can be compiled count as accepted from now on. */
  accept(): StateChange {
    const before = { resolutions: this.#resolutions(), policies: this.#compiled.policies };
    const { operatorNamespace, excludedNamespaces } = this.#options;
    const policies = this.#cluster.policies();
    this.#compiled = this.#compile(policies, {
      oldestServer: this.#cluster.oldestServer,
      operatorNamespace,
      excludedNamespaces,
      lastAccepted: new Map([...lastAccepted(this.#cluster.rendered()), ...this.#accepted]),
    });
    const accepted = policies.flatMap(({ metadata }) => {
      const spec = this.#compiled.specs.get(metadata?.name ?? '');
      return spec ? [[metadata?.uid ?? '', spec] as const] : [];
    });
    this.#accepted = new Map(accepted);
    this.#byName = new Map(this.#compiled.policies.map((policy) => [policy.name, policy]));
    this.#isStale = false;
    const namespaces = this.#cluster.namespaces().filter((namespace) => this.isReached(namespace));
    const concerned = this.#selections.replace(this.#compiled.policies, namespaces);
    // A verdict by another text is worthless: drop it until the namespace has been evaluated again.
    for (const name of concerned.namespaces) this.findings.judgements.delete(name);
    const resolved = differing(before.resolutions, this.#resolutions());
    return { ...unchanged({ of: 'accepted' }), ...concerned, policies: concerned.policies.union(resolved) };
  }

  /** As of the last `accept`. */
  get compiled(): Compiled {
    return this.#compiled;
  }

  get use(): UseIndex {
    this.#use ??= createUseIndex(this.#cluster.roles(), this.#cluster.roleBindings());
    return this.#use;
  }

  resolution(policy: string): Resolution | undefined {
    const refusal = this.#compiled.refusals.get(policy);
    if (refusal) return { refusal };
    const resolved = this.#byName.get(policy);
    return resolved && { policy: resolved };
  }

  /** Undefined for a policy that was never accepted. */
  coverage(policy: string): Coverage | undefined {
    const resolved = this.#byName.get(policy);
    return resolved && this.#selections.coverage(resolved);
  }

  /** The policies that select the namespace, by name: the same list until one of them changes. */
  selecting(namespace: string): readonly ResolvedPolicy[] {
    return this.#selections.selecting(namespace);
  }

  wantedLabels({ name, labels }: NamespaceView): Record<string, string> {
    const { oldestServer } = this.#cluster;
    const { podSecurityDefaults } = this.#options;
    return podSecurityLabels(this.selecting(name), labels, { oldestServer, podSecurityDefaults });
  }

  /** Whether policies decide in the namespace, and what runs there is evaluated. */
  isReached(namespace: NamespaceView): boolean {
    return isReached(namespace, this.#excluded);
  }

  isExcluded(namespace: string): boolean {
    return isExcluded(namespace, this.#excluded);
  }

  get #excluded(): readonly string[] {
    return [this.#options.operatorNamespace, ...this.#options.excludedNamespaces];
  }

  /** The finding of this term; before the first one, derived from the labels themselves. */
  labelOutcomes(namespaces: readonly string[]): Map<string, LabelOutcome> {
    const entries = namespaces.flatMap((name) => {
      const namespace = this.#cluster.namespace(name);
      return namespace ? [[name, this.findings.labels.get(name) ?? this.#present(namespace)] as const] : [];
    });
    return new Map(entries);
  }

  /** A planned label that is not there yet may be refused, so it does not count. */
  #present(namespace: NamespaceView): LabelOutcome {
    const { labels, conflicts } = planLabels(namespace, this.wantedLabels(namespace));
    const there = Object.entries(labels).filter(([key, value]) => namespace.labels[key] === value);
    return labelOutcome(namespace.name, { labels: Object.fromEntries(there), conflicts });
  }

  /** The watch shows our own status writes as changes, too. */
  #applyPolicy(cause: Cause, name: string): StateChange {
    const policy = this.#cluster.policy(name);
    const generation = policy && `${policy.metadata?.uid}/${policy.metadata?.generation}`;
    const recompiles = generation === undefined || this.#generations.get(name) !== generation;
    if (generation === undefined) this.#generations.delete(name);
    else this.#generations.set(name, generation);
    if (recompiles) {
      this.findings.rollouts.delete(name);
      this.#isStale = true;
    }
    return { ...unchanged(cause), policies: new Set([name]), recompiles };
  }

  #select(name: string): ReadonlySet<string> {
    const namespace = this.#cluster.namespace(name);
    return this.#selections.update(name, namespace && this.isReached(namespace) ? namespace.labels : undefined);
  }

  /** RBAC matters to policies that are not for everyone, in the namespaces that they select. */
  #restricted(): Concerned {
    const policies = this.#compiled.policies.filter(({ usableBy }) => usableBy !== 'Everyone').map(({ name }) => name);
    const namespaces = policies.flatMap((name) => [...this.#selections.selectedBy(name)]);
    return { policies: new Set(policies), namespaces: new Set(namespaces) };
  }

  #about({ policies = [], namespace }: Found): ReadonlySet<string> {
    const selecting = namespace === undefined ? [] : this.selecting(namespace).map(({ name }) => name);
    return new Set([...policies, ...selecting]);
  }

  #forgetTerm(cause: Cause): StateChange {
    // The admission policies in the cluster record what was accepted last.
    this.#accepted = new Map();
    this.#isStale = true;
    for (const found of Object.values(this.findings)) found.clear();
    const policies = this.#cluster.policies().map(({ metadata }) => metadata?.name ?? '');
    const namespaces = this.#cluster.namespaces().map(({ name }) => name);
    return { cause, policies: new Set(policies), namespaces: new Set(namespaces), recompiles: true };
  }

  #resolutions(): Map<string, unknown> {
    return new Map<string, unknown>([...this.#byName, ...this.#compiled.refusals]);
  }
}

function unchanged(cause: Cause): StateChange {
  return { cause, policies: NONE, namespaces: NONE, recompiles: false };
}

/** Unchanged resolved policies remain the same objects. */
function differing(before: ReadonlyMap<string, unknown>, now: ReadonlyMap<string, unknown>): Set<string> {
  const names = [...before.keys(), ...now.keys()];
  return new Set(names.filter((name) => before.get(name) !== now.get(name)));
}
