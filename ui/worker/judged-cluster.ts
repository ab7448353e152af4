/**
 * The loaded snapshot under supposed policies: every namespace is judged once, and again only in the modes in which other
 * policies decide. Without rendered objects, which no verdict needs and which take most of the time of compiling.
 */
import type { JudgedContext, JudgedWorkloads, Labels, PolicySource } from '../../cli/policies/context.ts';
import { type CompletePolicy, NAME_LABEL } from '../../operator/api/capability-policy.ts';
import { lastAccepted } from '../../operator/apply/standing.ts';
import { projectRole, projectRoleBinding } from '../../operator/cluster/rbac-projection.ts';
import { type Accepted, accept, textOf } from '../../operator/compile/accept.ts';
import { renderRole, renderRoleBinding } from '../../operator/compile/rbac.ts';
import { membersOf } from '../../operator/evaluate/members.ts';
import { type JudgedModes, judgingModes } from '../../operator/evaluate/modes.ts';
import { judgementsOf } from '../../operator/evaluate/namespace.ts';
import { createUseIndex, type UseIndex } from '../../operator/evaluate/use.ts';
import type { Court } from '../../operator/evaluate/verdict.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { type Group, groupsOf } from '../../operator/evaluate/workload-judgement.ts';
import type { Cluster, NamespaceView, RoleBindingView, RoleView } from '../../operator/model/objects.ts';
import { Selections } from '../../operator/policy/coverage.ts';
import { isReached, MODES } from '../../operator/policy/deciding.ts';
import { Memo } from '../../operator/policy/memo.ts';
import { lastOf } from '../../operator/policy/pieces.ts';
import { type Resolution, resolvePolicy } from '../../operator/policy/resolve.ts';

interface JudgedClusterOptions {
  /** Namespaces that no policy reaches. */
  readonly excluded: readonly string[];
  /** Whether all roles and bindings could be read. */
  readonly usersKnown: boolean;
  /** The time to ask about, in ms since 1970. */
  readonly at: number;
}

/** Several of them about one cluster share what they remember. */
export class SharedJudging {
  readonly evaluator = new Evaluator();
  readonly cluster: Cluster;
  readonly at: number;
  /** The namespaces that policies reach. */
  readonly namespaces: readonly NamespaceView[];
  readonly #usersKnown: boolean;
  readonly #lastAccepted: ReturnType<typeof lastAccepted>;
  readonly #resolutions = new Memo<Resolution>();
  readonly #groups = new Map<string, readonly Group[]>();

  constructor(cluster: Cluster, { excluded, usersKnown, at }: JudgedClusterOptions) {
    this.cluster = cluster;
    this.at = at;
    this.#usersKnown = usersKnown;
    this.namespaces = cluster.namespaces().filter((namespace) => isReached(namespace, excluded));
    this.#lastAccepted = lastAccepted(cluster.rendered());
  }

  accepted(policies: readonly CompletePolicy[]): Accepted {
    const { oldestServer } = this.cluster;
    const resolve = (policy: CompletePolicy) => {
      const key = JSON.stringify([policy.metadata?.name, policy.metadata?.uid, textOf(policy.spec)]);
      return this.#resolutions.get(key, () => resolvePolicy(policy, oldestServer));
    };
    const accepted = lastOf(
      accept(policies, { lastAccepted: this.#lastAccepted, oldestServer, now: this.at }, resolve),
    );
    this.#resolutions.forgetUnused();
    return accepted;
  }

  /** With the roles and bindings that the operator will write. */
  useOf({ policies }: Accepted): UseIndex {
    const roles = policies.flatMap((policy) => projectRole(renderRole(policy, []) as never) ?? []);
    const bindings = policies.flatMap((policy) => {
      const binding = renderRoleBinding(policy, []);
      return binding ? [projectRoleBinding(binding as never)] : [];
    });
    return createUseIndex(
      withRendered(this.cluster.roles(), roles),
      withRendered(this.cluster.roleBindings(), bindings),
      this.#usersKnown,
    );
  }

  /** The workloads of a namespace, which do not change. */
  groupsOf(namespace: string): readonly Group[] {
    const known = this.#groups.get(namespace) ?? groupsOf(membersOf(namespace, this.cluster));
    this.#groups.set(namespace, known);
    return known;
  }
}

/** Those of the cluster; of the ones without a namespace that the operator writes, only its own. */
function withRendered<Named extends RoleView | RoleBindingView>(
  live: Iterable<Named>,
  rendered: readonly Named[],
): Named[] {
  const names = new Set(rendered.map(({ name }) => name));
  return [...[...live].filter(({ name, namespace }) => namespace || !names.has(name)), ...rendered];
}

/** A namespace, and what its verdicts follow from. */
interface Judged {
  readonly modes: JudgedModes;
  readonly judgement: JudgedWorkloads;
}

export class JudgedCluster implements JudgedContext {
  readonly #shared: SharedJudging;
  readonly #like: JudgedCluster | undefined;
  readonly #selections = new Selections();
  readonly #judged: Map<string, Judged>;
  #policies: readonly CompletePolicy[];
  #accepted: Accepted;
  #labels: ReadonlyMap<string, Labels> = new Map();
  sources: ReadonlyMap<string, PolicySource> = new Map();

  /** @param like one under the same policies, whose verdicts are used wherever the same policies decide */
  constructor(shared: SharedJudging, policies: readonly CompletePolicy[], like?: JudgedCluster) {
    this.#shared = shared;
    this.#like = like;
    this.#policies = policies;
    this.#accepted = like?.compiled ?? shared.accepted(policies);
    this.#judged = new Map(like ? like.#judged : []);
    const { namespaces } = this.#select();
    if (!like) this.#judge(namespaces);
  }

  get compiled(): Accepted {
    return this.#accepted;
  }

  /**
   * Supposes other policies. @param labels of namespaces that have others than in the cluster @param sources of the
   * policies that are not in the cluster
   */
  suppose(
    policies: readonly CompletePolicy[],
    labels: ReadonlyMap<string, Labels> = new Map(),
    sources: ReadonlyMap<string, PolicySource> = new Map(),
  ): void {
    const before = this.#labels;
    if (policies === this.#policies && before.size === 0 && labels.size === 0) return;
    this.#policies = policies;
    this.#accepted = this.#shared.accepted(policies);
    this.#labels = labels;
    this.sources = sources;
    const { namespaces } = this.#select();
    // A label may decide about a verdict even if the same policies select the namespace.
    this.#judge(namespaces.union(new Set([...before.keys(), ...labels.keys()])));
  }

  labelsOf(namespace: string): Labels {
    const labels = this.#labels.get(namespace) ?? this.#shared.cluster.namespace(namespace)?.labels;
    return { ...labels, [NAME_LABEL]: namespace };
  }

  *judgeCluster(only?: string): Iterable<JudgedWorkloads> {
    for (const { name } of this.#shared.namespaces) {
      const judged = only === undefined || only === name ? this.#judged.get(name) : undefined;
      if (judged) yield judged.judgement;
    }
  }

  #select() {
    const namespaces = this.#shared.namespaces.map(({ name, labels }) => ({
      name,
      labels: this.#labels.get(name) ?? labels,
    }));
    return this.#selections.replace(this.#accepted.policies, namespaces);
  }

  #judge(names: ReadonlySet<string>): void {
    const { evaluator, namespaces } = this.#shared;
    const court = { evaluator, use: this.#shared.useOf(this.#accepted) };
    for (const namespace of namespaces) {
      const known = this.#judged.get(namespace.name);
      if (!known || names.has(namespace.name))
        this.#judged.set(namespace.name, this.#judgeOne(namespace, known, court));
    }
  }

  #judgeOne({ name, labels }: NamespaceView, known: Judged | undefined, court: Court): Judged {
    const selecting = { policies: this.#selections.selecting(name), labels: this.#labels.get(name) ?? labels };
    const like = this.#like ? this.#like.#judged.get(name) : undefined;
    const before = [known, like].flatMap((one) => one?.modes ?? []);
    const modes = lastOf(judgingModes(this.#shared.groupsOf(name), selecting, court, before));
    if (known && isSame(modes, known.modes)) return known;
    return { modes, judgement: { namespace: name, modes: judgementsOf(modes) } };
  }
}

function isSame(a: JudgedModes, b: JudgedModes): boolean {
  return MODES.every((mode) => a[mode] === b[mode]);
}
