/** The changes that edited policies make in the loaded snapshot: by the code of `cappol check --cluster --policy`. */
import { changesOf } from '../../cli/commands/check/changes.ts';
import type { ChangeSummary, WorkloadChange } from '../../cli/commands/check/changes-result.ts';
import type { Trouble } from '../../cli/input/trouble.ts';
import { PolicyContextBuilder } from '../../cli/policies/context-builder.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import type { Snapshot } from '../../operator/snapshot/document.ts';
import { restoreCluster } from '../../operator/snapshot/restore.ts';
import { manifestsIn } from './check.ts';

export interface RejudgeQuestion {
  /** The policies, as YAML. */
  readonly policies: string;
}

export interface RejudgeAnswer {
  /** Names of the policies in the text that are valid. */
  readonly candidates: readonly string[];
  readonly summary: Omit<ChangeSummary, 'rollouts'> & {
    /** How many workloads change. */
    readonly changed: number;
  };
  /** The first ones, sorted by namespace, kind and name. */
  readonly changes: readonly WorkloadChange[];
  /** Why valid policies could not be brought into force. */
  readonly refusals: readonly string[];
}

/** Nobody reads more, and a big cluster has thousands. */
const MOST_CHANGES = 200;

export class Rejudging {
  readonly #cluster: Cluster;
  readonly #snapshot: Snapshot;

  constructor(snapshot: Snapshot) {
    this.#cluster = restoreCluster(oncePerGroup(snapshot));
    this.#snapshot = snapshot;
  }

  rejudge({ policies }: RejudgeQuestion): RejudgeAnswer {
    const refusals: Trouble[] = [];
    const live = new PolicyContextBuilder();
    live.addCluster(this.#cluster);
    const changed = new PolicyContextBuilder();
    changed.addCluster(this.#cluster);
    // The other answer tells what is wrong with the text.
    for (const manifest of manifestsIn(policies, 'policies', () => {})) changed.addManifest(manifest, () => {});
    const candidates = changed.stated;
    const { operatorNamespace, excludedNamespaces, taken } = this.#snapshot;
    const options = {
      operatorNamespace,
      excludedNamespaces,
      oldestServer: this.#cluster.oldestServer,
      namespaceLabels: {},
      at: Date.parse(taken),
    };
    const { changes, summary } = changesOf({
      candidates,
      rollouts: changed.rollouts(candidates),
      before: live.build(options, () => {}),
      after: (pending) => changed.build(options, (trouble) => refusals.push(trouble), { pending }),
      enforced: changed.build(options, () => {}, { enforced: candidates }),
    });
    const { rollouts: _, ...counts } = summary;
    return {
      candidates,
      summary: { ...counts, changed: changes.length },
      changes: changes.slice(0, MOST_CHANGES),
      refusals: refusals.filter(({ file }) => file === 'policies').map(({ message }) => message),
    };
  }
}

/** Pods that are alike have the same outcome, and changes count workloads. */
function oncePerGroup(snapshot: Snapshot): Snapshot {
  const namespaces = snapshot.namespaces.map((namespace) => ({
    ...namespace,
    pods: namespace.pods.map((group) => ({ ...group, count: 1 })),
  }));
  return { ...snapshot, namespaces };
}
