/** The Events of a rollout. */
import { type CapabilityPolicy, ROLLOUT_ENFORCED, ROLLOUT_PENDING } from '../api/capability-policy.ts';
import type { NamespaceView } from '../model/objects.ts';
import { rolloutLabel } from '../policy/parts.ts';
import { type EventOrigin, eventFor, type KubernetesEvent, regardingNamespace } from './events.ts';
import * as reasons from './reasons.ts';
import { regardingPolicy } from './transitions.ts';

type Origin = Omit<EventOrigin, 'occasion'>;

/** The Event about a namespace that is still pending, although somebody removed or changed its label. */
export function restoredLabelEvent(
  policy: string,
  namespace: Pick<NamespaceView, 'name' | 'uid'>,
  object: CapabilityPolicy | undefined,
  origin: Origin,
): KubernetesEvent {
  const label = rolloutLabel(policy);
  const note =
    `label ${label}: ${ROLLOUT_PENDING} was removed or changed out of band; restored, since policy ${policy} must not be ` +
    `enforced in namespace ${namespace.name} yet. To enforce it there now, set the label to ${ROLLOUT_ENFORCED}`;
  return eventFor(
    {
      regarding: regardingNamespace(namespace),
      ...(object && { related: regardingPolicy(object) }),
      type: 'Warning',
      reason: reasons.ROLLOUT_LABEL_RESTORED,
      action: 'Label',
      note,
    },
    { ...origin, occasion: origin.now },
  );
}
