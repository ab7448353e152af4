/**
 * Compares evidence with the workloads of a cluster that cappol follows. If a namespace changes, the workloads of this
 * namespace are compared again.
 */
import type { Evidence, ObservedContainer } from '../../../analysis/evidence/use.ts';
import { UsedCapabilities } from '../../../analysis/evidence/used-capabilities.ts';
import type { UsedByContainer } from '../../../analysis/snapshot/document.ts';
import { usedIn } from '../../../analysis/snapshot/used-in.ts';
import type { Cluster } from '../../../operator/model/objects.ts';
import { ofWorkloads } from '../../evidence/cluster.ts';
import type { UsedOptions } from '../../evidence/used.ts';

export class LiveEvidence {
  readonly #byNamespace: ReadonlyMap<string, Evidence>;
  readonly #options: Pick<UsedOptions, 'since'>;

  constructor({ uses, watches }: Evidence, options: Pick<UsedOptions, 'since'>) {
    const [ofUse, ofWatch] = [Map.groupBy(uses, namespaceOf), Map.groupBy(watches, namespaceOf)];
    this.#byNamespace = new Map(
      [...new Set([...ofUse.keys(), ...ofWatch.keys()])].map((namespace) => [
        namespace,
        { uses: ofUse.get(namespace) ?? [], watches: ofWatch.get(namespace) ?? [] },
      ]),
    );
    this.#options = options;
  }

  usedIn(namespace: string, cluster: Cluster): readonly UsedByContainer[] {
    const own = this.#byNamespace.get(namespace);
    return own ? usedIn(namespace, cluster, new UsedCapabilities(ofWorkloads(own, cluster), this.#options)) : [];
  }
}

function namespaceOf({ namespace }: ObservedContainer): string {
  return namespace;
}
