/**
 * Shows the namespace in which a rollout enforces its policy next. If no promotion is possible yet, the earliest time
 * of the promotion is shown, too.
 */
import type { CapabilityPolicyStatus } from '../../operator/api/capability-policy.ts';
import { Name } from './name.tsx';

interface NextPromotionProps {
  readonly next: NonNullable<NonNullable<CapabilityPolicyStatus['rollout']>['next']>;
  /** The time at which the cluster was read. */
  readonly taken: string;
}

export function NextPromotion({ next: { namespace, time }, taken }: NextPromotionProps) {
  const isToCome = Date.parse(String(time)) > Date.parse(taken);
  return (
    <>
      <Name text={namespace} />
      {isToCome && (
        <>
          , not before <time dateTime={String(time)}>{new Date(String(time)).toLocaleString()}</time>
        </>
      )}
    </>
  );
}
