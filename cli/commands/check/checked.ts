/** Verdicts, violations and advice as a check reports them, for a file or for running workloads. */
import { findings } from '../../../operator/evaluate/findings.ts';
import type { Judgement } from '../../../operator/evaluate/verdict.ts';
import type { PodSpec } from '../../../operator/model/objects.ts';
import { formatVersion } from '../../../operator/standards/level-version.ts';
import type { JudgedContext } from '../../policies/context.ts';
import { type FieldPath, fieldPath } from '../../schema/paths.ts';
import type { CheckedFinding, CheckedPolicy, CheckedViolation, ItemVerdict } from './result.ts';

type Place = Pick<CheckedViolation, 'path' | 'line'>;
/** @param path from the PodSpec on, or of the pod's metadata */
type PlaceOf = (path: string) => Place;

/** The policies by which a check evaluates, by name. */
export function checkedPolicies({ compiled, sources }: Pick<JudgedContext, 'compiled' | 'sources'>): CheckedPolicy[] {
  return compiled.policies.map(({ name, mode, priority, standard: { level, minor } }) => {
    const { file = null, line = null } = sources.get(name) ?? {};
    return { name, mode, priority, level, version: formatVersion(minor), file, line };
  });
}

export function worst(verdicts: readonly ItemVerdict[]): ItemVerdict {
  const order = ['Violating', 'Unknown', 'Compliant'] as const;
  return order.find((one) => verdicts.includes(one)) ?? 'NotSelected';
}

export function checkedViolations({ violations }: Pick<Judgement, 'violations'>, placeOf: PlaceOf): CheckedViolation[] {
  return Object.entries(violations).flatMap(([policy, ofPolicy]) =>
    ofPolicy.map(({ rule, container, message, path }) => ({
      policy,
      rule,
      container: container ?? null,
      message,
      ...placeOf(path),
    })),
  );
}

export function checkedFindings(spec: PodSpec, placeOf: PlaceOf): CheckedFinding[] {
  return findings(spec).map(({ reason, container, message, path }) => ({
    reason,
    container,
    message,
    ...placeOf(path),
  }));
}

/**
 * A field of an object, from the object on. @param template the path of the pod in it @param path from the PodSpec on,
 * or of the pod's metadata
 */
export function fieldIn(template: FieldPath, path: string): FieldPath {
  const inPod = fieldPath(path);
  return [...template, ...(inPod[0] === 'metadata' ? [] : ['spec']), ...inPod];
}
