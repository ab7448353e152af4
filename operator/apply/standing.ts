/** Our objects in the cluster, compared with the rendered ones. Pure. */
import type { CapabilityPolicySpec, CompleteSpec } from '../api/capability-policy.ts';
import { completeSpec } from '../api/defaults.ts';
import { type AdmissionSet, isGuard } from '../compile/admission-set.ts';
import type { Compiled } from '../compile/compile.ts';
import { type Manifest, PART_LABEL, POLICY_LABEL, RULESET_LABEL, SPEC_ANNOTATION } from '../compile/objects.ts';
import { useRoleName } from '../compile/rbac.ts';
import type { RenderedObject } from '../model/objects.ts';
import { arrayOf } from '../model/raw.ts';
import { perObject } from '../policy/memo.ts';
import { pendingPartOf, policyNameOf } from '../policy/parts.ts';

/** By kind and name. */
export type Standing = ReadonlyMap<string, RenderedObject>;

export function standing(rendered: readonly RenderedObject[]): Map<string, RenderedObject> {
  return new Map(rendered.map((object) => [keyOf(object), object]));
}

export function keyOf(object: { readonly kind: string; readonly metadata: { readonly name: string } }): string {
  return `${object.kind}/${object.metadata.name}`;
}

export const setsOf: (compiled: Compiled) => readonly AdmissionSet[] = perObject(({ rendered, guards }) =>
  [...rendered.values(), ...guards].map(({ admission }) => admission),
);

/**
 * The specs that the existing admission policies were rendered from, by the policy's uid: the newest of each. Only
 * admission policies are trusted: more people may write roles.
 */
export function lastAccepted(rendered: readonly RenderedObject[]): Map<string, CompleteSpec> {
  const created = ({ metadata }: RenderedObject) => String(metadata.creationTimestamp ?? '');
  const specs = rendered
    .filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
    .toSorted((a, b) => (created(a) < created(b) ? -1 : 1))
    .flatMap((object) => {
      // A set that decides for others outlives its own policy: a later policy with its name never had that text.
      const uid = ownersOf(object).find(({ name }) => name === policyNameOf(policyOf(object)))?.uid;
      const spec = specIn(object);
      return uid !== undefined && spec && isNamedByUs(object) ? [[uid, spec] as const] : [];
    });
  return new Map(specs);
}

/** The newest specs that refuse something, by the policy's uid: those of policies that are enforced somewhere. */
export const standingEnforced: (rendered: readonly RenderedObject[]) => ReadonlyMap<string, CompleteSpec> = perObject(
  (rendered) => {
    const enforcing = rendered.filter(
      (object) => object.metadata.labels?.[PART_LABEL] === undefined && specIn(object)?.mode === 'Enforce',
    );
    return lastAccepted(enforcing);
  },
);

/** Anybody may have written it, so an invalid spec is ignored. */
const specIn = perObject(({ metadata }: RenderedObject): CompleteSpec | undefined => {
  try {
    const spec = JSON.parse(metadata.annotations?.[SPEC_ANNOTATION] ?? 'null') as CapabilityPolicySpec | null;
    return spec?.namespaceSelector && spec.level ? completeSpec(spec) : undefined;
  } catch {
    return undefined;
  }
});

/** The names of the policies that an admission policy asks for `use` on. */
export const usesAsked: (object: { readonly kind: string; readonly spec?: unknown }) => string[] = perObject(
  ({ kind, spec }) => {
    if (!hasText({ kind })) return [];
    const text = JSON.stringify(spec).replaceAll('\\"', '"');
    return [...text.matchAll(/\.name\("([^"]+)"\)\.check\("use"\)/g)].map(([, name = '']) => name);
  },
);

/**
 * The policies that existing texts ask for `use` on, except texts that go with their policies.
 *
 * @param policies the uids of all policies
 */
export function askedIn(live: Standing, policies: ReadonlySet<string>): Set<string> {
  const texts = [...live.values()].filter(hasText);
  return new Set(texts.filter((object) => !isCollected(object, policies)).flatMap(usesAsked));
}

/** Whether it has the text of a policy. */
export function hasText({ kind }: { readonly kind: string }): boolean {
  return isAdmission({ kind }) && !kind.endsWith('Binding');
}

export function isAdmission({ kind }: { readonly kind: string }): boolean {
  return /AdmissionPolicy(Binding)?$/.test(kind);
}

/** The existing objects that are no longer rendered. */
export interface Unwanted {
  /** In the order in which they may be deleted. */
  readonly stale: readonly RenderedObject[];
  /**
   * The objects of a policy for which nothing can be rendered now, or whose new objects (or those that decide for it)
   * the API server refuses: the last that were in force. For peers these are the objects of the first one, which they
   * all own.
   */
  readonly kept: readonly RenderedObject[];
}

/** @param failed the policies whose objects the API server refuses */
export function unwanted(compiled: Compiled, live: Standing, failed: ReadonlySet<string>): Unwanted {
  const wanted = wantedBy(compiled);
  const isOurs = (object: RenderedObject) => !wanted.has(keyOf(object)) && isNamedByUs(object);
  // Policies move between guards when policies are added or deleted, so an old guard may be the only one for a policy.
  const lacksGuard = [...failed].some(isGuard);
  const isKept = (object: RenderedObject) => {
    const own = policyOf(object);
    if (isGuard(own)) return lacksGuard;
    const policies = decidesFor(object, compiled);
    return policies.some((policy) => (policy === own && failed.has(own)) || lacksDecider(policy, compiled, failed));
  };
  const { kept = [], stale = [] } = Object.groupBy([...live.values()].filter(isOurs), (object) =>
    isKept(object) ? 'kept' : 'stale',
  );
  return { stale: inOrderOfRemoval(stale), kept };
}

/**
 * The policies for which an object was rendered: for a set that decides for peers, all remaining ones. A policy that was
 * deleted and created again never had the text of its namesake.
 */
function decidesFor(object: RenderedObject, { uids }: Compiled): string[] {
  const own = policyOf(object);
  const owners = ownersOf(object);
  // Somebody has removed them.
  if (owners.length === 0) return [own];
  const current = owners.flatMap(({ name = '', uid = '' }) => (uids.get(name) === uid ? [name] : []));
  return current.includes(policyNameOf(own)) ? [own, ...current] : current;
}

function lacksDecider(policy: string, { rendered, refusals, expired }: Compiled, failed: ReadonlySet<string>): boolean {
  const decidedBy = rendered.get(policy)?.decidedBy;
  if (decidedBy !== undefined) return failed.has(decidedBy);
  return refusals.has(policy) && !expired.some(({ name }) => name === policy);
}

/** The ID of the resolved policy that its labels name; empty without one. */
export function policyOf({ metadata: { labels } }: RenderedObject): string {
  const name = labels?.[POLICY_LABEL] ?? '';
  return labels?.[PART_LABEL] === undefined ? name : pendingPartOf(name);
}

/** Undefined for RBAC, which all rulesets of a policy share. */
export function rulesetOf({ metadata }: RenderedObject): string | undefined {
  return metadata.labels?.[RULESET_LABEL];
}

/**
 * Whether the garbage collector deletes it: all its owners are gone.
 *
 * @param policies the uids of all policies
 */
export function isCollected(object: RenderedObject, policies: ReadonlySet<string>): boolean {
  const owners = ownersOf(object);
  return owners.length > 0 && !owners.some(({ uid = '' }) => policies.has(uid));
}

function ownersOf({ metadata }: RenderedObject) {
  return arrayOf(metadata.ownerReferences) as { readonly name?: string; readonly uid?: string }[];
}

/** The keys of all rendered objects. */
const wantedBy = perObject((compiled: Compiled) => new Set(allOf(compiled).map(keyOf)));

function allOf(compiled: Compiled): Manifest[] {
  const rbac = [...compiled.rendered.values()].flatMap(({ role, roleBinding }) =>
    [role ?? [], roleBinding ?? []].flat(),
  );
  return [...setsOf(compiled).flatMap(({ objects }) => objects), ...rbac];
}

/**
 * Bindings before the policies that they bind, the probe's last among them; without objects that are being deleted
 * already.
 */
export function inOrderOfRemoval(objects: readonly RenderedObject[]): RenderedObject[] {
  const order = (object: RenderedObject) => (isProbeBinding(object) ? 1 : object.kind.endsWith('Binding') ? 0 : 2);
  return objects.filter(({ metadata }) => metadata.deletionTimestamp === undefined).sort((a, b) => order(a) - order(b));
}

export function isProbeBinding({
  kind,
  metadata,
}: Pick<Manifest, 'kind'> & { readonly metadata: { readonly name: string } }): boolean {
  return kind.endsWith('Binding') && metadata.name.endsWith('-probe');
}

/**
 * Labels can be copied onto anything: we delete only objects that have our form of name and that state their policy.
 */
function isNamedByUs({ metadata: { name, labels } }: RenderedObject): boolean {
  const policy = labels?.[POLICY_LABEL];
  if (policy === undefined) return false;
  return name.startsWith('capabilitypolicy-') || name.startsWith('capabilitypolicy.') || name === useRoleName(policy);
}
