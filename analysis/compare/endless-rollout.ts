/**
 * Finds rollouts that cannot end. The search reads only the policies and their statuses. The policies and their
 * statuses do not show which labels the API server refuses. A rollout with `paused` is not reported, because `paused`
 * is a decision and not a mistake.
 */
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import { formatTime } from '../../operator/policy/expiry.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { durationMs } from '../../operator/promotion/duration.ts';
import type { Finding } from './finding.ts';

interface Now {
  /** The current time, in ms since 1970. */
  readonly at: number;
  /**
   * Whether the policy is enforced in all its namespaces. In this case, no soak has to end before the policy expires.
   */
  readonly hasEnded: boolean;
}

export function endlessRollout({ name, spec, expires }: ResolvedPolicy, { at, hasEnded }: Now): Finding | undefined {
  const { rollout, mode } = spec;
  if (!rollout) return undefined;
  const finding = (message: string): Finding => ({
    kind: 'endless-rollout',
    policy: name,
    others: [],
    rules: [],
    message,
  });
  if (mode !== 'Enforce') {
    return finding(
      `the rollout of this policy cannot end: it rests in mode ${mode}, and promotes no namespace; write mode: Enforce, or remove rollout`,
    );
  }
  if (hasEnded || at + durationMs(rollout.soak) < expires) return undefined;
  return finding(
    `a soak of this policy that begins now cannot end: it takes ${rollout.soak}, and the policy expires before that, at ${formatTime(expires)}; shorten the soak, or set a later time in expires`,
  );
}

/**
 * The names of the policies that are enforced in all their namespaces after a rollout. Only the status of a live policy
 * shows that a rollout has ended.
 */
export function endedRollouts(policies: Iterable<CompletePolicy>): ReadonlySet<string> {
  const ended = [...policies].filter(({ status: { rollout } = {} }) => {
    return rollout && (rollout.soaking ?? 0) + (rollout.blocked ?? 0) === 0;
  });
  return new Set(ended.flatMap(({ metadata }) => metadata?.name ?? []));
}
