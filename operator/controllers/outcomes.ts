/**
 * The outcomes of controllers in this term. The key of each map is the name of a policy or namespace. All outcomes of
 * one kind come from one controller.
 */
import type { LabelOutcome, ProgramOutcome } from '../apply/outcome.ts';
import type { PodSecurityAnswer } from '../apply/pod-security-probe.ts';
import type { ProtectionOutcome } from '../apply/protection-probe.ts';
import type { NamespaceVerdicts } from '../evaluate/namespace.ts';
import type { RolloutProgress } from '../promotion/progress.ts';

/** The only outcome of a controller with a single key. */
class Single<Outcome> {
  current: Outcome | undefined;

  clear(): void {
    this.current = undefined;
  }
}

export function newOutcomes() {
  return {
    /** How far each policy's rows are in force. */
    programs: new Map<string, ProgramOutcome>(),
    labels: new Map<string, LabelOutcome>(),
    verdicts: new Map<string, NamespaceVerdicts>(),
    /** The progress of each policy with `rollout`. */
    progress: new Map<string, RolloutProgress>(),
    protection: new Single<ProtectionOutcome>(),
    podSecurity: new Single<PodSecurityAnswer>(),
    /** The API server's answer for each rollout whose state it refuses to save. */
    unsaved: new Map<string, string>(),
  };
}
