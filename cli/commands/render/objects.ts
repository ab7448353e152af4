/** The objects that policies render, and their text. */
import { dump } from 'js-yaml';
import { setsOf } from '../../../operator/apply/standing.ts';
import type { Compiled } from '../../../operator/compile/compile.ts';
import type { Manifest } from '../../../operator/compile/objects.ts';
import { hasControls, jsonText } from '../../output/printable.ts';

/** Roles and their bindings, then admission policies and theirs; without probes. */
export function objectsOf(compiled: Compiled): Manifest[] {
  const roles = [...compiled.rendered.values()].flatMap(({ role, roleBinding }) =>
    [role ?? [], roleBinding ?? []].flat(),
  );
  return [...roles, ...setsOf(compiled).flatMap(({ objects }) => objects)].filter((object) => !isProbe(object));
}

/** Whether it is the binding of a probe, which only shows an operator what is in force. */
export function isProbe({ kind, metadata }: Pick<Manifest, 'kind'> & { metadata: { name: string } }): boolean {
  return kind.endsWith('AdmissionPolicyBinding') && metadata.name.endsWith('-probe');
}

export function yaml(object: unknown): string {
  const text = dump(object, { lineWidth: 120, noRefs: true });
  // Plain and block scalars have no escapes; JSON does, and is YAML.
  return hasControls(text) ? `${jsonText(object)}\n` : text;
}

/**
 * Without owner references: the user who applies the objects owns them, and the policy itself may not be in the
 * cluster.
 */
export function withoutOwner({ metadata: { ownerReferences: _, ...metadata }, ...object }: Manifest): object {
  const { apiVersion, kind, ...rest } = object;
  return { apiVersion, kind, metadata, ...rest };
}
