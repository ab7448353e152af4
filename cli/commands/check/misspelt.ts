/** Misspelt fields, and the violations that follow from them. */
import type { PodTemplate } from '../../input/pod-templates.ts';
import { type UnknownField, unknownFieldsIn } from '../../input/unknown-fields.ts';
import { type FieldPath, fieldPath, pathText } from '../../schema/paths.ts';
import type { CheckedViolation } from './result.ts';

/** Reports only certain misspellings in a custom resource, because its kind may have fields of its own. */
export function misspeltIn({ pod, fieldOf }: PodTemplate): UnknownField[] {
  return unknownFieldsIn(pod).flatMap(({ path, meant }) => {
    if (!meant) return [];
    const place = fieldOf(path);
    const message = `unknown field ${JSON.stringify(pathText(place))}: did you mean ${JSON.stringify(meant.at(-1))}?`;
    return [{ path: place, meant: fieldOf(meant), message }];
  });
}

/** The same violations, with a note on those that a misspelt field causes. */
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

/** The path from the securityContext on, because a pod's securityContext also applies to its containers. */
function inSecurityContext(path: FieldPath): FieldPath {
  const at = path.lastIndexOf('securityContext');
  return at === -1 ? path : path.slice(at);
}

function startsWith(path: FieldPath, beginning: FieldPath): boolean {
  return beginning.every((step, index) => step === path[index]);
}
