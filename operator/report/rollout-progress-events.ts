/** Makes the Events about the progress of a rollout. */
import type { CapabilityPolicyStatus } from '../api/capability-policy.ts';
import type { NamespaceView } from '../model/objects.ts';
import { counted } from '../text/wording.ts';
import {
  type EventOrigin,
  eventFor,
  type Happening,
  type KubernetesEvent,
  type Regarding,
  regardingNamespace,
  type Unaddressed,
} from './events.ts';
import * as reasons from './reasons.ts';

type Statuses = Pick<CapabilityPolicyStatus, 'rollout'>;

/**
 * Makes Events on the policy. An Event says that all pending namespaces of the policy are blocked, or that the policy
 * is enforced in all of its namespaces.
 */
export function rolloutHappenings({ rollout: before }: Statuses, { rollout: next }: Statuses): Unaddressed[] {
  if (!next) return [];
  const [was, is] = [stateOf(before), stateOf(next)];
  if (was === is) return [];
  if (is === 'Blocked')
    return [{ ...COMMON, type: 'Warning', reason: reasons.ROLLOUT_BLOCKED, note: blockedNote(next) }];
  // The first status of a policy may have no pending namespaces. Such a status does not mean that a rollout has ended.
  // So the function makes no Event.
  if (is !== 'Complete' || was === undefined) return [];
  const { enforced = 0 } = next;
  const note = `the policy is enforced in ${enforced === 1 ? 'its namespace' : `all of its ${counted(enforced, 'namespace')}`}`;
  return [{ ...COMMON, type: 'Normal', reason: reasons.ROLLOUT_COMPLETE, note }];
}

/**
 * Makes the Event about a namespace that was pending until now.
 * @param policy the policy that is now enforced in the namespace
 */
export function promotionEvent(
  namespace: Pick<NamespaceView, 'name' | 'uid'>,
  policy: Regarding,
  origin: Omit<EventOrigin, 'occasion'>,
): KubernetesEvent {
  const happening: Happening = {
    ...COMMON,
    type: 'Normal',
    reason: reasons.NAMESPACE_ENFORCED,
    regarding: regardingNamespace(namespace),
    related: policy,
    note: `CapabilityPolicy ${policy.name} is enforced in this namespace from now on`,
  };
  return eventFor(happening, { ...origin, occasion: '' });
}

const COMMON = { action: 'Rollout' } as const;

/** The state of a rollout. `Blocked` means that no namespace can be promoted until somebody repairs a workload. */
function stateOf(rollout: Statuses['rollout']): 'Complete' | 'Blocked' | 'Working' | undefined {
  if (!rollout) return undefined;
  const { soaking = 0, blocked = 0 } = rollout;
  if (soaking > 0) return 'Working';
  return blocked > 0 ? 'Blocked' : 'Complete';
}

function blockedNote({ blocked = 0, blockedNamespaces = [] }: NonNullable<Statuses['rollout']>): string {
  const [first] = blockedNamespaces;
  const example = first ? `, such as ${first.name} (${first.worst ?? 'a pod that is gone'})` : '';
  return `no more namespaces can be enforced: workloads violate the policy in ${counted(blocked, 'pending namespace')}${example}`;
}
