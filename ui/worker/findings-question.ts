/** Makes the question to the worker about the findings of a cluster. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';
import type { FindingsQuestion } from './findings.ts';

/** The part of a snapshot on which findings depend. */
export function questionAbout(snapshot: Snapshot): FindingsQuestion {
  const { context, taken, serverVersion, operatorNamespace, excludedNamespaces } = snapshot;
  const policies = snapshot.policies.map((policy) => {
    const { serverDefaults, rollout } = policy.status;
    // The other fields of `rollout` change often, and no finding depends on them.
    const counts = rollout && { rollout: { soaking: rollout.soaking, blocked: rollout.blocked } };
    return { ...policy, status: { ...(serverDefaults && { serverDefaults }), ...counts } };
  });
  return { context, taken, serverVersion, operatorNamespace, excludedNamespaces, policies };
}
