/** Marks the violations that misspelt fields cause. */
import type { UnknownField } from '../manifests/unknown-fields.ts';
import { type FieldPath, fieldPath } from '../schema/paths.ts';
import type { CheckedViolation } from './result.ts';

/** Returns the given violations. If a misspelt field causes a violation, the violation's message gets a note. */
export function withMisspelt(
  violations: readonly CheckedViolation[],
  unknown: readonly UnknownField[],
  lineOf: (path: FieldPath) => number,
): CheckedViolation[] {
  return violations.map((violation) => {
    const path = inSecurityContext(fieldPath(violation.path));
    const cause = unknown.find(({ meant }) => meant && startsWith(path, inSecurityContext(meant)));
    if (!cause) return violation;
    const field = JSON.stringify(cause.path.at(-1));
    return {
      ...violation,
      message: `${violation.message} (line ${lineOf(cause.path)} has the unknown field ${field})`,
    };
  });
}

/**
 * The path of a field, starting at the securityContext. A pod's securityContext also applies to its containers. Paths
 * in a pod's securityContext and in a container's securityContext are therefore compared without the part before
 * `securityContext`.
 */
function inSecurityContext(path: FieldPath): FieldPath {
  const at = path.lastIndexOf('securityContext');
  return at === -1 ? path : path.slice(at);
}

function startsWith(path: FieldPath, beginning: FieldPath): boolean {
  return beginning.every((step, index) => step === path[index]);
}
