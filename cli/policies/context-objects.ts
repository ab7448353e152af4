/** Problems of the namespaces, roles and bindings that evaluating depends on. */
import { type InputObject, troubleOf } from '../input/document-objects.ts';
import type { roleOf } from '../input/kinds.ts';
import { objectFields } from '../input/pod-schema.ts';
import type { Trouble } from '../input/trouble.ts';
import { fieldProblems } from '../input/unknown-fields.ts';

/** Policies have a validation of their own. */
export function isContextObject(role: ReturnType<typeof roleOf>): boolean {
  return role === 'namespace' || role === 'role' || role === 'roleBinding';
}

/** Catches `lables:`, with which the namespace has no labels and no policy selects it. */
export function isReadable(manifest: InputObject, tell: (trouble: Trouble) => void): boolean {
  const { object, textOf } = manifest;
  const { wrong, unknown } = objectFields(object, object.kind, textOf);
  const { problems, warnings } = fieldProblems(unknown);
  for (const problem of [...wrong, ...problems]) tell(troubleOf(manifest, problem));
  for (const problem of warnings) tell({ ...troubleOf(manifest, problem), severity: 'warning' });
  return wrong.length === 0;
}
