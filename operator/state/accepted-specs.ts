/**
 * Reads the last accepted specs from the operator's objects. An operator that restarts needs these specs. The functions
 * are pure.
 */
import type { CapabilityPolicySpec, CompleteSpec } from '../api/capability-policy.ts';
import { completeSpec } from '../api/defaults.ts';
import { LEFT_OUT_ANNOTATION, PART_LABEL, POLICY_LABEL, SPEC_ANNOTATION, UID_ANNOTATION } from '../compile/objects.ts';
import { ENFORCING, hasRowFor, PROGRAM_LABEL } from '../compile/program.ts';
import { useRoleName } from '../compile/rbac.ts';
import type { RenderedObject } from '../model/objects.ts';
import { arrayOf } from '../model/raw.ts';
import { perObject } from '../policy/memo.ts';
import { hasText, isNamedByUs, labelOf } from './live.ts';

/**
 * The last accepted specs. The key is the policy's uid. Earlier releases had no programs, and recorded specs on other
 * objects. If a policy's role has a spec, this spec takes precedence over specs on other objects.
 */
export function lastAccepted(rendered: readonly RenderedObject[]): Map<string, CompleteSpec> {
  return new Map([...inOlderForm(rendered), ...rendered.flatMap(inRole)]);
}

/**
 * The specs of policies that are enforced in some namespace. The key is the policy's uid. The operator writes the role
 * before the programs. If a policy is new, or if its mode was not Enforce for a moment, the policy's role therefore
 * exists while the program still has an older row with the same name.
 */
export const enforcedSpecs: (rendered: readonly RenderedObject[]) => ReadonlyMap<string, CompleteSpec> = perObject(
  (rendered) => {
    const programs = rendered.filter((object) => labelOf(object, PROGRAM_LABEL)?.startsWith(ENFORCING) === true);
    const isEnforced = (role: RenderedObject) =>
      inRole(role).some(([uid, { mode }]) => {
        const policy = { name: labelOf(role, POLICY_LABEL) ?? '', uid };
        return mode === 'Enforce' && programs.some((program) => hasRowFor(program, policy));
      });
    const older = rendered.filter(
      (object) => labelOf(object, PART_LABEL) === undefined && specIn(object)?.mode === 'Enforce',
    );
    return new Map([...inOlderForm(older), ...rendered.filter(isEnforced).flatMap(inRole)]);
  },
);

/**
 * The names of the namespaces that the enforced part of a policy with a rollout leaves out by name. The key is the
 * policy's uid.
 */
export const leftOutIn: (rendered: readonly RenderedObject[]) => ReadonlyMap<string, readonly string[]> = perObject(
  (rendered) =>
    new Map(
      rendered.flatMap((object) =>
        inRole(object).flatMap(([uid, { rollout }]) => (rollout ? [[uid, namesIn(object)] as const] : [])),
      ),
    ),
);

/** Anybody may have written the annotation, so the function ignores texts that are not names of namespaces. */
function namesIn({ metadata }: RenderedObject): string[] {
  const names = (metadata.annotations?.[LEFT_OUT_ANNOTATION] ?? '').split(' ');
  return names.filter((name) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name));
}

function inRole(object: RenderedObject): [string, CompleteSpec][] {
  const { name, annotations = {} } = object.metadata;
  const isOurs = object.kind === 'ClusterRole' && name === useRoleName(labelOf(object, POLICY_LABEL) ?? '');
  const [uid, spec] = [annotations[UID_ANNOTATION], specIn(object)];
  return isOurs && uid && spec ? [[uid, spec]] : [];
}

/**
 * The newest spec of each policy, read from objects that earlier releases wrote. Releases that wrote specs on these
 * objects had no programs yet.
 */
function inOlderForm(rendered: readonly RenderedObject[]): [string, CompleteSpec][] {
  const created = ({ metadata }: RenderedObject) => String(metadata.creationTimestamp ?? '');
  return rendered
    .filter((object) => hasText(object) && isNamedByUs(object))
    .toSorted((a, b) => (created(a) < created(b) ? -1 : 1))
    .flatMap((object) => {
      // An object of an old release may decide for several policies. An object of an old release may exist for longer
      // than the policy that owns the object. The spec on the object does not belong to a later policy with the same
      // name.
      const owners = arrayOf(object.metadata.ownerReferences) as { readonly name?: string; readonly uid?: string }[];
      const uid = owners.find(({ name }) => name !== undefined && name === labelOf(object, POLICY_LABEL))?.uid;
      const spec = specIn(object);
      return uid !== undefined && spec ? [[uid, spec] as [string, CompleteSpec]] : [];
    });
}

/**
 * The spec in the annotation of an object. Anybody may have written the annotation, so the function ignores an invalid
 * spec.
 */
const specIn = perObject(({ metadata }: RenderedObject): CompleteSpec | undefined => {
  try {
    const spec = JSON.parse(metadata.annotations?.[SPEC_ANNOTATION] ?? 'null') as CapabilityPolicySpec | null;
    return spec?.namespaceSelector && spec.level ? completeSpec(spec) : undefined;
  } catch {
    return undefined;
  }
});
