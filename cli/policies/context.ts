/** The compiled policies of files and a cluster, and the other objects that evaluating pods depends on. */

import { Recent } from '../../operator/cluster/sharing.ts';
import type { Compiled, CompileOptions } from '../../operator/compile/compile.ts';
import type { AdmissionOptions } from '../../operator/compile/match.ts';
import { judgeNamespace, type NamespaceJudgement } from '../../operator/evaluate/namespace.ts';
import type { Court } from '../../operator/evaluate/verdict.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { deciding, isExcluded, isReached, MODES } from '../../operator/policy/deciding.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';

export type Labels = Readonly<Record<string, string>>;

/** The API server puts it on every namespace. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

export interface PolicyContextOptions extends AdmissionOptions {
  /** N of Kubernetes 1.N of the oldest API server. */
  readonly oldestServer: number;
  /** The labels of a namespace about which nothing else is known. */
  readonly namespaceLabels: Labels;
  readonly lastAccepted?: CompileOptions['lastAccepted'];
}

/** Where a policy was read. */
export interface PolicySource {
  readonly file: string;
  readonly line: number | null;
}

interface PolicyContextParts {
  readonly compiled: Compiled;
  readonly options: PolicyContextOptions;
  readonly court: Court;
  readonly namespaces: ReadonlyMap<string, Labels>;
  readonly sources: ReadonlyMap<string, PolicySource>;
}

export class PolicyContext {
  readonly compiled: Compiled;
  readonly court: Court;
  /** By policy; live policies are not in it. */
  readonly sources: ReadonlyMap<string, PolicySource>;
  readonly #options: PolicyContextOptions;
  readonly #namespaces: ReadonlyMap<string, Labels>;
  readonly #deciding = new Recent<readonly (readonly ResolvedPolicy[])[]>();

  constructor({ compiled, options, court, namespaces, sources }: PolicyContextParts) {
    this.compiled = compiled;
    this.court = court;
    this.sources = sources;
    this.#options = options;
    this.#namespaces = namespaces;
  }

  labelsOf(namespace: string): Labels {
    const known = this.#namespaces.get(namespace) ?? this.#options.namespaceLabels;
    return { ...known, [NAME_LABEL]: namespace };
  }

  /** The policies that decide in a namespace, for each mode in which some do. */
  deciding(namespace: string): readonly (readonly ResolvedPolicy[])[] {
    return this.#deciding.get(namespace, () => {
      if (this.isExcluded(namespace)) return [];
      const labels = this.labelsOf(namespace);
      const all = MODES.map((mode) => deciding(this.compiled.policies, mode, labels));
      return all.filter((policies) => policies.length > 0);
    });
  }

  /**
   * Evaluates running workloads, by namespace. @param only the single namespace to evaluate; undefined for all
   */
  *judgeCluster(cluster: Cluster, only?: string): Generator<NamespaceJudgement> {
    for (const namespace of cluster.namespaces()) {
      const { name } = namespace;
      if (!isReached(namespace, this.#excluded) || (only !== undefined && name !== only)) continue;
      yield judgeNamespace({ name, labels: this.labelsOf(name) }, this.compiled.policies, cluster, this.court);
    }
  }

  isExcluded(namespace: string): boolean {
    return isExcluded(namespace, this.#excluded);
  }

  get #excluded(): readonly string[] {
    const { operatorNamespace, excludedNamespaces } = this.#options;
    return [operatorNamespace, ...excludedNamespaces];
  }
}
