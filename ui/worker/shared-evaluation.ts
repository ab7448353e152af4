/**
 * Keeps the results that several evaluations of a snapshot share. The evaluations have different policies. Rendered
 * objects are not kept. Verdicts do not need rendered objects, and rendering takes most of the time of a compilation.
 */

import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import { type Accepted, accept } from '../../operator/compile/accept.ts';
import { Resolver } from '../../operator/compile/resolver.ts';
import { membersOf } from '../../operator/evaluate/members.ts';
import { renderedGrants, withRendered } from '../../operator/evaluate/rendered-grants.ts';
import { createUseIndex, type UseIndex } from '../../operator/evaluate/use.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { type Group, groupsOf } from '../../operator/evaluate/workload-verdict.ts';
import type { Cluster, NamespaceView, PodView, WorkloadView } from '../../operator/model/objects.ts';
import { isReached } from '../../operator/policy/deciding.ts';
import { runToEnd } from '../../operator/policy/run-to-end.ts';
import { lastAccepted } from '../../operator/state/accepted-specs.ts';
import { reportedServerDefaults } from '../../operator/state/server-defaults.ts';

interface SharedEvaluationOptions {
  /** The patterns of the namespaces that no policy reaches. */
  readonly excluded: readonly string[];
  /** Whether all roles and bindings could be read. */
  readonly usersKnown: boolean;
  /** The time for which to evaluate, in ms since 1970. */
  readonly at: number;
}

/** The workloads of a namespace, and the objects from which the code makes the workloads. */
interface Grouped {
  readonly pods: Iterable<PodView>;
  readonly workloads: Iterable<WorkloadView>;
  readonly groups: readonly Group[];
}

export class SharedEvaluation {
  readonly evaluator: Evaluator;
  readonly cluster: Cluster;
  readonly at: number;
  /** The namespaces that policies reach. */
  readonly namespaces: readonly NamespaceView[];
  readonly #usersKnown: boolean;
  readonly #lastAccepted: ReturnType<typeof lastAccepted>;
  readonly #resolver: Resolver;
  readonly #grouped: Map<string, Grouped>;

  /** @param earlier the shared results for an earlier state of the cluster */
  constructor(cluster: Cluster, { excluded, usersKnown, at }: SharedEvaluationOptions, earlier?: SharedEvaluation) {
    this.evaluator = earlier?.evaluator ?? new Evaluator();
    this.#resolver = earlier ? earlier.#resolver : new Resolver();
    this.#grouped = new Map(earlier ? [...earlier.#grouped].filter(([name]) => cluster.namespace(name)) : []);
    this.cluster = cluster;
    this.at = at;
    this.#usersKnown = usersKnown;
    this.namespaces = cluster.namespaces().filter((namespace) => isReached(namespace, excluded));
    this.#lastAccepted = lastAccepted(cluster.rendered());
  }

  accepted(policies: readonly CompletePolicy[]): Accepted {
    const { oldestServer } = this.cluster;
    const own = this.cluster.policies();
    const serverDefaults = reportedServerDefaults(own);
    const { resolve } = this.#resolver;
    const options = { lastAccepted: this.#lastAccepted, oldestServer, serverDefaults, now: this.at };
    const accepted = runToEnd(accept(policies, options, resolve));
    // Verdicts are kept by resolved policy. The cluster's own policies are therefore resolved now. These policies stay
    // resolved while other policies are evaluated.
    for (const policy of own) resolve(policy, oldestServer, serverDefaults);
    this.#resolver.forgetUnused();
    return accepted;
  }

  /**
   * Builds the index of the users of each policy. The index includes the roles and bindings that the operator would
   * write.
   */
  useOf({ policies }: Accepted): UseIndex {
    const live = { roles: this.cluster.roles(), bindings: this.cluster.roleBindings() };
    const { roles, bindings } = withRendered(live, renderedGrants(policies));
    return createUseIndex(roles, bindings, this.#usersKnown);
  }

  /** The workloads of a namespace. While no workload changes, each call returns the same list. */
  groupsOf(namespace: string): readonly Group[] {
    const [pods, workloads] = [this.cluster.pods(namespace), this.cluster.workloads(namespace)];
    const known = this.#grouped.get(namespace);
    if (known?.pods === pods && known.workloads === workloads) return known.groups;
    const groups = groupsOf(membersOf(namespace, this.cluster));
    this.#grouped.set(namespace, { pods, workloads, groups });
    return groups;
  }
}
