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
  return new Map([...inOlderForm(rendered), ...rendered.flatMap(inRole)].map(({ uid, spec }) => [uid, spec]));
}

/**
 * The specs of policies that are enforced in some namespace. The key is the policy's name, because a policy that was
 * restored has another uid than its row. The operator writes the role before the programs. A role may therefore have
 * the spec of a policy that was created again, while the program still has the row of the earlier policy. The spec
 * counts only if the role and the row have the same uid.
 */
export const enforcedSpecs: (rendered: readonly RenderedObject[]) => ReadonlyMap<string, CompleteSpec> = perObject(
  (rendered) => {
    const programs = rendered.filter((object) => labelOf(object, PROGRAM_LABEL)?.startsWith(ENFORCING) === true);
    const isEnforced = (role: RenderedObject) =>
      inRole(role).some(
        (policy) => policy.spec.mode === 'Enforce' && programs.some((program) => hasRowFor(program, policy)),
      );
    const older = rendered.filter(
      (object) => labelOf(object, PART_LABEL) === undefined && specIn(object)?.mode === 'Enforce',
    );
    const enforced = [...inOlderForm(older), ...rendered.filter(isEnforced).flatMap(inRole)];
    return new Map(enforced.map(({ name, spec }) => [name, spec]));
  },
);

/** The specs in the roles of policies that have a row in some program. The key is the policy's name. */
export function specsInForce(rendered: readonly RenderedObject[]): ReadonlyMap<string, CompleteSpec> {
  const programs = rendered.filter((object) => labelOf(object, PROGRAM_LABEL) !== undefined);
  const recorded = rendered.flatMap(inRole).filter((one) => programs.some((program) => hasRowFor(program, one)));
  return new Map(recorded.map(({ name, spec }) => [name, spec]));
}

/**
 * The names of the namespaces that the enforced part of a policy with a rollout leaves out by name. The key is the
 * policy's name.
 */
export const leftOutIn: (rendered: readonly RenderedObject[]) => ReadonlyMap<string, readonly string[]> = perObject(
  (rendered) =>
    new Map(
      rendered.flatMap((object) =>
        inRole(object).flatMap(({ name, spec }) => (spec.rollout ? [[name, namesIn(object)] as const] : [])),
      ),
    ),
);

/** Anybody may have written the annotation, so the function ignores texts that are not names of namespaces. */
function namesIn({ metadata }: RenderedObject): string[] {
  const names = (metadata.annotations?.[LEFT_OUT_ANNOTATION] ?? '').split(' ');
  return names.filter((name) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name));
}

/** A spec that an object records, and the policy that had the spec. */
interface Recorded {
  readonly name: string;
  readonly uid: string;
  readonly spec: CompleteSpec;
}

function inRole(object: RenderedObject): Recorded[] {
  const { metadata } = object;
  const name = labelOf(object, POLICY_LABEL) ?? '';
  const isOurs = object.kind === 'ClusterRole' && metadata.name === useRoleName(name);
  const [uid, spec] = [metadata.annotations?.[UID_ANNOTATION], specIn(object)];
  return isOurs && uid && spec ? [{ name, uid, spec }] : [];
}

/**
 * The newest spec of each policy, read from objects that earlier releases wrote. Releases that wrote specs on these
 * objects had no programs yet.
 */
function inOlderForm(rendered: readonly RenderedObject[]): Recorded[] {
  const created = ({ metadata }: RenderedObject) => String(metadata.creationTimestamp ?? '');
  return rendered
    .filter((object) => hasText(object) && isNamedByUs(object))
    .toSorted((a, b) => (created(a) < created(b) ? -1 : 1))
    .flatMap((object) => {
      // An object of an old release may decide for several policies. An object of an old release may exist for longer
      // than the policy that owns the object. The spec on the object does not belong to a later policy with the same
      // name.
      const owners = arrayOf(object.metadata.ownerReferences) as { readonly name?: string; readonly uid?: string }[];
      const policy = labelOf(object, POLICY_LABEL) ?? '';
      const uid = owners.find(({ name }) => name !== undefined && name === policy)?.uid;
      const spec = specIn(object);
      return uid !== undefined && spec ? [{ name: policy, uid, spec }] : [];
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
