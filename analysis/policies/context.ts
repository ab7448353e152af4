/**
 * The state of a cluster, combined with the policies of files. The files may give a namespace other labels than the
 * namespace has in the cluster.
 */

import { type Mode, NAME_LABEL } from '../../operator/api/capability-policy.ts';
import type { Compiled } from '../../operator/compile/compile.ts';
import type { AdmissionOptions } from '../../operator/compile/match.ts';
import { type Loosening, looseningsAnywhere } from '../../operator/evaluate/loosening.ts';
import type { NamespaceVerdicts } from '../../operator/evaluate/namespace.ts';
import type { EvaluationContext } from '../../operator/evaluate/verdict.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { Recent } from '../../operator/model/recent.ts';
import { deciding, MODES } from '../../operator/policy/deciding.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import type { PolicyState } from '../../operator/state/policy-state.ts';
import type { Trouble } from '../manifests/trouble.ts';
import type { Automounting } from './automounting.ts';
import { evaluateCluster } from './evaluate-cluster.ts';

export type Labels = Readonly<Record<string, string>>;

export interface PolicyContextOptions extends AdmissionOptions {
  /** The minor version N of Kubernetes 1.N of the oldest API server. */
  readonly oldestServer: number;
  /**
   * The fields that API servers fill in and that this release does not know, in the format of `serverDefaults` in the
   * type `Standard`. By default, the statuses of the policies name these fields.
   */
  readonly serverDefaults?: readonly string[];
  /** The labels of a namespace that is neither in the files nor in the cluster. */
  readonly namespaceLabels: Labels;
  /** Whether all roles and bindings could be read. The default is true. */
  readonly usersKnown?: boolean;
  /** The point in time for the evaluation of policies, in ms since 1970. */
  readonly at: number;
}

/** The file and line from which a policy was read. */
export interface PolicySource {
  readonly file: string;
  readonly line: number | null;
}

/**
 * The position to report for a problem of the policy.
 *
 * @param source the file and line of the policy; absent for a policy of the cluster
 */
export function placeOfSource(
  { file, line }: PolicySource = { file: 'cluster', line: null },
): Pick<Trouble, 'file' | 'line'> {
  return { file, ...(line !== null && { line }) };
}

/** The fields of a namespace's verdicts that a comparison of two states needs. */
export type EvaluatedWorkloads = Pick<NamespaceVerdicts, 'namespace' | 'modes'>;

/**
 * Policies, and the cluster in which they are evaluated. The type has only the fields that a comparison of two states
 * needs.
 */
export interface EvaluatedContext extends Pick<PolicyContext, 'labelsOf' | 'sources'> {
  readonly compiled: Pick<Compiled, 'policies'>;
  evaluateCluster(only?: string): Iterable<EvaluatedWorkloads>;
}

/** The policies of a cluster. They decided about the pods that the cluster has, and about those that it refused. */
export interface LivePolicies {
  /** The policies that decide in a namespace in mode Enforce. */
  enforcedIn(namespace: string): readonly ResolvedPolicy[];
}

/** The policies that decide in a namespace in one mode. */
interface DecidingPolicies {
  readonly mode: Mode;
  readonly policies: readonly ResolvedPolicy[];
}

interface PolicyContextInput {
  readonly cluster: Cluster;
  readonly state: PolicyState;
  readonly namespaceLabels: Labels;
  readonly namespaces: ReadonlyMap<string, Labels>;
  readonly automounting: Automounting;
  /** The file and line from which each policy was read. The key is the policy's name. Live policies have no entry. */
  readonly sources: ReadonlyMap<string, PolicySource>;
  /** The policies of the cluster, if the context has others. */
  readonly live?: LivePolicies | undefined;
}

export class PolicyContext implements LivePolicies {
  readonly evaluation: EvaluationContext;
  readonly compiled: Compiled;
  readonly sources: PolicyContextInput['sources'];
  readonly automounting: Automounting;
  readonly #input: PolicyContextInput;
  readonly #deciding = new Recent<readonly DecidingPolicies[]>();

  constructor(input: PolicyContextInput) {
    const { use, compiled } = input.state;
    this.evaluation = { evaluator: new Evaluator(), use };
    this.compiled = compiled;
    this.sources = input.sources;
    this.automounting = input.automounting;
    this.#input = input;
  }

  labelsOf(namespace: string): Labels {
    const { namespaces, namespaceLabels } = this.#input;
    return { ...(namespaces.get(namespace) ?? namespaceLabels), [NAME_LABEL]: namespace };
  }

  /**
   * The policies that decide in a namespace. Each mode has one entry. A mode without deciding policies has no entry.
   */
  deciding(namespace: string): readonly DecidingPolicies[] {
    return this.#deciding.get(namespace, () => {
      if (this.isExcluded(namespace)) return [];
      const labels = this.labelsOf(namespace);
      const all = MODES.map((mode) => ({ mode, policies: deciding(this.compiled.policies, mode, labels) }));
      return all.filter(({ policies }) => policies.length > 0);
    });
  }

  enforcedIn(namespace: string): readonly ResolvedPolicy[] {
    return this.deciding(namespace).find(({ mode }) => mode === 'Enforce')?.policies ?? [];
  }

  /** @param only the only namespace to evaluate; undefined for all namespaces */
  evaluateCluster(only?: string): Iterable<NamespaceVerdicts> {
    const { cluster, state, live } = this.#input;
    return evaluateCluster(cluster, state, this.evaluation, { only, live: live && ((name) => live.enforcedIn(name)) });
  }

  /**
   * Finds policies with a rollout. Another, looser policy loosens each of these policies. Everyone may use the looser
   * policy. The key is the name of the looser policy.
   */
  loosenings(): ReadonlyMap<string, readonly Loosening[]> {
    const { state, cluster } = this.#input;
    const names = new Set(this.compiled.policies.map(({ name }) => name));
    // If no namespaces are known, the result considers every policy that may select the same namespace.
    const all = [...names].map((name): [string, readonly Loosening[]] => [
      name,
      cluster.namespaces().length > 0 ? state.loosenings(name) : looseningsAnywhere(name, this.compiled.policies),
    ]);
    return new Map(all.filter(([, loosenings]) => loosenings.length > 0));
  }

  isExcluded(namespace: string): boolean {
    return this.#input.state.isExcluded(namespace);
  }
}
