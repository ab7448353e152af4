/** The Events of a rollout. */
import { type CapabilityPolicy, ROLLOUT_ENFORCED, ROLLOUT_PENDING } from '../api/capability-policy.ts';
import { labelOfMode } from '../compile/labels.ts';
import type { NamespaceView } from '../model/objects.ts';
import { rolloutLabel } from '../policy/parts.ts';
import { counted } from '../text/wording.ts';
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

/**
 * The Event about a rollout that begins in namespaces where Pod Security already enforces a level.
 *
 * @param pending the number of namespaces in which the rollout begins
 * @param labelled the sorted names of those with a label `enforce`
 */
export function beginningEvent(
  policy: CapabilityPolicy,
  { pending, labelled }: { readonly pending: number; readonly labelled: readonly string[] },
  origin: Origin,
): KubernetesEvent {
  const { name = '', generation = 0 } = policy.metadata ?? {};
  const note =
    `the rollout begins in ${counted(pending, 'namespace')}, of which ${labelled.length} ` +
    `${labelled.length === 1 ? 'has' : 'have'} the label ${labelOfMode('Enforce')}, such as ${labelled[0]}. The policy ` +
    'refuses no pod there until it is promoted. If the policy was enforced there before, for example before a ' +
    `restore, set the label ${rolloutLabel(name)} of these namespaces to ${ROLLOUT_ENFORCED}`;
  return eventFor(
    {
      regarding: regardingPolicy(policy),
      type: 'Warning',
      reason: reasons.ROLLOUT_OVER_LABELS,
      action: 'Rollout',
      note,
    },
    { ...origin, occasion: String(generation) },
  );
}
