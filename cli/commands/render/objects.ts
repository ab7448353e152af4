/** Makes the objects to which policies are compiled, and writes the objects as text. */
import { visit } from 'yaml';
import { documentText, yamlDocument } from '../../../analysis/text/yaml-document.ts';
import type { Compiled } from '../../../operator/compile/compile.ts';
import type { Manifest } from '../../../operator/compile/objects.ts';
import { isCanary, isProbeBinding, objectsOfProgram } from '../../../operator/compile/program.ts';

/**
 * The rendered objects, without probes. Roles and their bindings come first, and then the programs: the guard,
 * defaulting, and one program for each mode.
 */
export function objectsOf(compiled: Compiled): Manifest[] {
  const grants = [...compiled.grants.values()].flatMap(({ role, roleBinding }) =>
    [withoutRecord(role), roleBinding ?? []].flat(),
  );
  const programs = compiled.programs.flatMap(objectsOfProgram);
  return [...grants, ...programs].filter((object) => !isProbe(object));
}

/**
 * Whether the object is useful only for an operator. The operator uses the object to see which version of a program is
 * in force, or whether API servers can compile a program.
 */
export function isProbe(object: Pick<Manifest, 'kind'> & { metadata: { name: string } }): boolean {
  const { kind, metadata } = object;
  return isProbeBinding(object) || (kind.endsWith('AdmissionPolicy') && isCanary(metadata.name));
}

/** Removes the annotation in which an operator records the accepted spec. */
function withoutRecord({ metadata: { annotations: _, ...metadata }, ...role }: Manifest): Manifest {
  return { ...role, metadata };
}

const STYLE = { lineWidth: 120 };

/**
 * Writes an object as YAML. A string with line breaks is written as several lines, even if the lines are long. In the
 * table of a program, each line is one row. A long string without line breaks is folded over several lines.
 */
export function yaml(object: unknown): string {
  const document = yamlDocument(object);
  visit(document, {
    Scalar: (_key, scalar) => {
      const { value } = scalar;
      if (typeof value !== 'string') return;
      if (value.includes('\n')) scalar.type = 'BLOCK_LITERAL';
      else if (value.length > STYLE.lineWidth) scalar.type = 'BLOCK_FOLDED';
    },
  });
  return documentText(document, STYLE);
}

/**
 * Removes the owner references. The objects belong to the user who applies them. The policies that would own the
 * objects may not exist in the cluster.
 */
export function withoutOwner({ metadata: { ownerReferences: _, ...metadata }, ...object }: Manifest): object {
  const { apiVersion, kind, ...rest } = object;
  return { apiVersion, kind, metadata, ...rest };
}
