/**
 * The outcomes of controllers in this term. The key of each map is the name of a policy or namespace. All outcomes of
 * one kind come from one controller.
 */
import type { LabelOutcome, ProgramOutcome } from '../apply/outcome.ts';
import type { ProtectionOutcome } from '../apply/protection-probe.ts';
import type { NamespaceVerdicts } from '../evaluate/namespace.ts';
import type { RolloutProgress } from '../promotion/progress.ts';

interface Protection {
  current?: ProtectionOutcome;
  clear(): void;
}

export function newOutcomes() {
  const protection: Protection = {
    clear() {
      delete this.current;
    },
  };
  return {
    /** How far each policy's rows are in force. */
    programs: new Map<string, ProgramOutcome>(),
    labels: new Map<string, LabelOutcome>(),
    verdicts: new Map<string, NamespaceVerdicts>(),
    /** The progress of each policy with `rollout`. */
    progress: new Map<string, RolloutProgress>(),
    protection,
  };
}
