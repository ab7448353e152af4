/**
 * Converts verdicts, violations and advice to the form that a check reports. A check is about a file or about running
 * workloads.
 */
import type { Mode } from '../../operator/api/capability-policy.ts';
import type { PodVerdict } from '../../operator/evaluate/verdict.ts';
import type { PodSpec } from '../../operator/model/objects.ts';
import { isPendingPart } from '../../operator/policy/parts.ts';
import { formatVersion } from '../../operator/standards/level-version.ts';
import { findings } from '../capabilities/findings.ts';
import type { Trouble } from '../manifests/trouble.ts';
import type { EvaluatedContext } from '../policies/context.ts';
import { type FieldPath, fieldPath } from '../schema/paths.ts';
import type { CheckedFinding, CheckedPolicy, CheckedProblem, CheckedViolation, ItemVerdict } from './result.ts';

type FieldLocation = Pick<CheckedViolation, 'path' | 'line'>;
/** Finds a field in its object. @param path a path that starts at the PodSpec, or a path in the pod's metadata */
type LocateField = (path: string) => FieldLocation;

/**
 * The policies against which a check evaluates workloads. A policy with a rollout has two parts, but is listed only
 * once.
 */
export function checkedPolicies({
  compiled,
  sources,
}: Pick<EvaluatedContext, 'compiled' | 'sources'>): CheckedPolicy[] {
  const whole = compiled.policies.filter(({ id }) => !isPendingPart(id));
  return whole.map(({ name, mode, meanwhile = null, priority, standard: { level, minor } }) => {
    const { file = null, line = null } = sources.get(name) ?? {};
    return { name, mode, meanwhile, priority, level, version: formatVersion(minor), file, line };
  });
}

export function worst(verdicts: readonly ItemVerdict[]): ItemVerdict {
  const order = ['Violating', 'Unknown', 'Compliant'] as const;
  return order.find((one) => verdicts.includes(one)) ?? 'NotSelected';
}

/** @param mode the mode of the policies that report the violations */
export function checkedViolations(
  { violations }: Pick<PodVerdict, 'violations'>,
  mode: Mode,
  locate: LocateField,
): CheckedViolation[] {
  return Object.entries(violations).flatMap(([policy, ofPolicy]) =>
    ofPolicy.map(({ rule, container, message, path }) => ({
      policy,
      mode,
      rule,
      container: container ?? null,
      message,
      ...locate(path),
    })),
  );
}

export function checkedFindings(spec: PodSpec, locate: LocateField): CheckedFinding[] {
  return findings(spec).map(({ reason, container, message, path }) => ({
    reason,
    container,
    message,
    ...locate(path),
  }));
}

/**
 * The path of the field, starting at the object.
 * @param template the path of the pod in the object
 * @param path a path that starts at the PodSpec, or a path in the pod's metadata
 */
export function fieldIn(template: FieldPath, path: string): FieldPath {
  const inPod = fieldPath(path);
  return [...template, ...(inPod[0] === 'metadata' ? [] : ['spec']), ...inPod];
}

export function checkedProblem({ severity, file, line, message }: Trouble): CheckedProblem {
  return { severity: severity ?? 'error', file, line: line ?? null, message };
}
