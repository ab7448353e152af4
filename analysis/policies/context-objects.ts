/** Checks namespaces, roles and role bindings, because an evaluation depends on them. */
import { type InputObject, troubleOf } from '../manifests/document-objects.ts';
import { nullProblems, withEmptyValues } from '../manifests/empty-fields.ts';
import type { roleOf } from '../manifests/kinds.ts';
import { objectFields } from '../manifests/pod-schema.ts';
import type { Trouble } from '../manifests/trouble.ts';
import { fieldProblems } from '../manifests/unknown-fields.ts';

/** Whether the object is a namespace, role or binding. Another file validates policies. */
export function isContextObject(role: ReturnType<typeof roleOf>): boolean {
  return role === 'namespace' || role === 'role' || role === 'roleBinding';
}

/**
 * Reads a namespace, role or binding, and reports misspelt fields such as `lables:`. With the misspelling `lables:`,
 * the namespace would have no labels, and no policy would select the namespace.
 *
 * @returns the object in the form that the API server reads; undefined if the API server refuses the object
 */
export function readObject(manifest: InputObject, tell: (trouble: Trouble) => void): InputObject['object'] | undefined {
  const { object, textOf } = manifest;
  const { wrong, unknown, empty } = objectFields(object, object.kind, textOf);
  const [fields, nulls] = [fieldProblems(unknown), nullProblems(empty)];
  for (const problem of [...wrong, ...fields.problems, ...nulls.problems]) tell(troubleOf(manifest, problem));
  for (const problem of [...fields.warnings, ...nulls.warnings])
    tell({ ...troubleOf(manifest, problem), severity: 'warning' });
  return wrong.length === 0 ? withEmptyValues(object, empty) : undefined;
}
