/** What stands in the cluster by our hand, against what is rendered now. Pure. */
import type { CapabilityPolicySpec } from '../api/capability-policy.ts';
import type { RenderedObject } from '../cluster/objects.ts';
import type { AdmissionSet } from '../compile/admission-set.ts';
import type { Compiled } from '../compile/compile.ts';
import { type Manifest, POLICY_LABEL, SPEC_ANNOTATION } from '../compile/objects.ts';
import { useRoleName } from '../compile/rbac.ts';

/** By kind and name. */
export type Standing = ReadonlyMap<string, RenderedObject>;

export function standing(rendered: readonly RenderedObject[]): Standing {
  return new Map(rendered.map((object) => [keyOf(object), object]));
}

export function keyOf(object: { readonly kind: string; readonly metadata: { readonly name: string } }): string {
  return `${object.kind}/${object.metadata.name}`;
}

export function setsOf({ rendered, guard }: Compiled): AdmissionSet[] {
  return [...[...rendered.values()].map(({ admission }) => admission), ...(guard ? [guard] : [])];
}

/**
 * The specs that the admission policies that stand were rendered from, by policy: the newest of each. Nothing else is
 * believed: more people may write roles than admission policies.
 */
export function lastAccepted(rendered: readonly RenderedObject[]): Map<string, CapabilityPolicySpec> {
  const created = ({ metadata }: RenderedObject) => String(metadata.creationTimestamp ?? '');
  const specs = rendered
    .filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
    .toSorted((a, b) => (created(a) < created(b) ? -1 : 1))
    .flatMap((object) => {
      const { labels, annotations } = object.metadata;
      const policy = labels?.[POLICY_LABEL];
      const spec = parseSpec(annotations?.[SPEC_ANNOTATION]);
      return policy !== undefined && spec && isNamedByUs(object, policy) ? [[policy, spec] as const] : [];
    });
  return new Map(specs);
}

/** Anybody may have written it: what is no spec is none. */
function parseSpec(text: string | undefined): CapabilityPolicySpec | undefined {
  try {
    const spec = JSON.parse(text ?? 'null') as CapabilityPolicySpec | null;
    return spec?.namespaceSelector && spec.level ? spec : undefined;
  } catch {
    return undefined;
  }
}

/** The names of the policies that an admission policy asks for `use` on. */
export function usesAsked({ kind, spec }: { readonly kind: string; readonly spec?: unknown }): string[] {
  if (!isAdmission(kind) || kind.endsWith('Binding')) return [];
  const text = JSON.stringify(spec).replaceAll('\\"', '"');
  return [...text.matchAll(/\.name\("([^"]+)"\)\.check\("use"\)/g)].map(([, name = '']) => name);
}

export function isAdmission(kind: string): boolean {
  return /AdmissionPolicy(Binding)?$/.test(kind);
}

/**
 * What stands and is rendered no more, in the order in which it may go: bindings before what they bind, the probe's last
 * among them. What was rendered for a policy of which nothing can be rendered now, or whose new objects (or those that
 * decide for it) the API server refuses, stays: it is the last that was in force.
 *
 * @param failed the policies whose objects the API server refuses
 */
export function stale(compiled: Compiled, live: Standing, failed: ReadonlySet<string>): RenderedObject[] {
  const wanted = new Set(allOf(compiled).map(keyOf));
  const stays = (policy: string) => {
    const decidedBy = compiled.rendered.get(policy)?.decidedBy;
    const lacksNew = decidedBy === undefined ? compiled.refusals.has(policy) : failed.has(decidedBy);
    return failed.has(policy) || lacksNew;
  };
  return [...live.values()]
    .filter((object) => {
      const policy = object.metadata.labels?.[POLICY_LABEL];
      const kept = policy === undefined || wanted.has(keyOf(object)) || stays(policy);
      return !kept && isNamedByUs(object, policy) && object.metadata.deletionTimestamp === undefined;
    })
    .sort((a, b) => order(a) - order(b));
}

function allOf(compiled: Compiled): Manifest[] {
  const rbac = [...compiled.rendered.values()].flatMap(({ role, roleBinding }) => [role, roleBinding ?? []].flat());
  return [...setsOf(compiled).flatMap(({ objects }) => objects), ...rbac];
}

function order({ kind, metadata }: RenderedObject): number {
  if (!kind.endsWith('Binding')) return 2;
  return metadata.name.endsWith('-probe') ? 1 : 0;
}

/** Labels can be copied onto anything; only what is named as we name things is ours to delete. */
function isNamedByUs({ metadata: { name } }: RenderedObject, policy: string): boolean {
  return name.startsWith('capabilitypolicy-') || name.startsWith('capabilitypolicy.') || name === useRoleName(policy);
}
