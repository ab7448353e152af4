/**
 * Finds rollouts that cannot end. The search reads only the policies. Policies do not show which workloads violate
 * them, or which labels the API server refuses. A rollout with `paused` is not reported, because `paused` is a decision
 * and not a mistake.
 */
import { formatTime } from '../../operator/policy/expiry.ts';
import type { ResolvedPolicy } from '../../operator/policy/resolve.ts';
import { durationMs } from '../../operator/promotion/duration.ts';
import type { Finding } from './finding.ts';

/** @param at the current time, in ms since 1970 */
export function endlessRollout({ name, spec, expires }: ResolvedPolicy, at: number): Finding | undefined {
  const { rollout, mode } = spec;
  if (!rollout) return undefined;
  const finding = (reason: string): Finding => ({
    kind: 'endless-rollout',
    policy: name,
    others: [],
    rules: [],
    message: `the rollout of this policy cannot end: ${reason}`,
  });
  if (mode !== 'Enforce') {
    return finding(`it rests in mode ${mode}, and promotes no namespace; write mode: Enforce, or remove rollout`);
  }
  if (at + durationMs(rollout.soak) < expires) return undefined;
  return finding(
    `a soak that begins now takes ${rollout.soak}, and the policy expires before that, at ${formatTime(expires)}; shorten the soak, or set a later time in expires`,
  );
}
