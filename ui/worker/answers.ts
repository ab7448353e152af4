/** The answers of the worker. Nothing here uses the browser. */
import type { Manifest } from '../../operator/compile/objects.ts';
import { ClusterState } from '../../operator/controllers/cluster-state.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { policyNameOf } from '../../operator/policy/parts.ts';
import type { Snapshot } from '../../operator/snapshot/document.ts';
import { restoreCluster } from '../../operator/snapshot/restore.ts';
import { check } from './check.ts';
import type { RequestName, Requests } from './requests.ts';

export type Answers = {
  readonly [Name in RequestName]: (question: Requests[Name]['question']) => Requests[Name]['answer'];
};

interface Loaded {
  readonly cluster: Cluster;
  readonly state: ClusterState;
}

export function createAnswers(): Answers {
  let loaded: Loaded | undefined;
  const current = () => {
    if (!loaded) throw new Error('no snapshot is loaded');
    return loaded;
  };
  return {
    load(snapshot) {
      loaded = stateOf(snapshot);
      return undefined;
    },
    rendered: ({ policy }) => renderedFor(policy, current()),
    check,
  };
}

function stateOf(snapshot: Snapshot): Loaded {
  const cluster = restoreCluster(snapshot);
  const { operatorNamespace, excludedNamespaces, taken } = snapshot;
  const now = () => Date.parse(taken);
  const state = new ClusterState(cluster, { operatorNamespace, excludedNamespaces, podSecurityDefaults: {}, now });
  state.accept();
  return { cluster, state };
}

/** Both parts of a policy with a roll-out, with the objects of the policy that decides for it as its peer. */
function renderedFor(name: string, { state: { compiled } }: Loaded): Manifest[] {
  return compiled.policies
    .filter((policy) => policyNameOf(policy.id) === name)
    .flatMap(({ id }) => {
      const rendered = compiled.rendered.get(id);
      return rendered
        ? [...rendered.admission.objects, rendered.role, rendered.roleBinding].filter((object) => object !== undefined)
        : [];
    });
}
