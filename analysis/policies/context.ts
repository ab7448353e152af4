/**
 * The state of a cluster together with the policies of files. In the combined state, namespaces may have other labels
 * than in the cluster.
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
  /** The minor version of the oldest API server: the N of Kubernetes 1.N. */
  readonly oldestServer: number;
  /** The labels of a namespace that is neither in the files nor in the cluster. */
  readonly namespaceLabels: Labels;
  /** Whether all roles and bindings could be read; true by default. */
  readonly usersKnown?: boolean;
  /** The time for which to evaluate, in ms since 1970. */
  readonly at: number;
}

/** The place where a policy was read. */
export interface PolicySource {
  readonly file: string;
  readonly line: number | null;
}

/** The place of a problem of the policy. @param source absent for a policy of the cluster */
export function placeOfSource(
  { file, line }: PolicySource = { file: 'cluster', line: null },
): Pick<Trouble, 'file' | 'line'> {
  return { file, ...(line !== null && { line }) };
}

/** The verdicts of a namespace, as far as a comparison of two states needs them. */
export type EvaluatedWorkloads = Pick<NamespaceVerdicts, 'namespace' | 'modes'>;

/** Policies and the cluster that they are evaluated in, as far as a comparison of two states needs them. */
export interface EvaluatedContext extends Pick<PolicyContext, 'labelsOf' | 'sources'> {
  readonly compiled: Pick<Compiled, 'policies'>;
  evaluateCluster(only?: string): Iterable<EvaluatedWorkloads>;
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
  /** The place where each policy was read, by the policy's name; live policies have no entry. */
  readonly sources: ReadonlyMap<string, PolicySource>;
}

export class PolicyContext {
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

  /** The policies that decide in a namespace, for each mode in which at least one decides. */
  deciding(namespace: string): readonly DecidingPolicies[] {
    return this.#deciding.get(namespace, () => {
      if (this.isExcluded(namespace)) return [];
      const labels = this.labelsOf(namespace);
      const all = MODES.map((mode) => ({ mode, policies: deciding(this.compiled.policies, mode, labels) }));
      return all.filter(({ policies }) => policies.length > 0);
    });
  }

  /** @param only the single namespace to evaluate; undefined for all */
  evaluateCluster(only?: string): Iterable<NamespaceVerdicts> {
    return evaluateCluster(this.#input.cluster, this.#input.state, this.evaluation, only);
  }

  /** The rolled-out policies that policies for everybody loosen, by the name of the looser policy. */
  loosenings(): ReadonlyMap<string, readonly Loosening[]> {
    const { state, cluster } = this.#input;
    const names = new Set(this.compiled.policies.map(({ name }) => name));
    // Without namespaces, every policy that may select a common namespace counts.
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
