/** The operator's objects in the cluster. The functions are pure. */
import type { Manifest } from '../compile/objects.ts';
import { isProbeBinding } from '../compile/program.ts';
import { useRoleName } from '../compile/rbac.ts';
import type { RenderedObject } from '../model/objects.ts';

interface Named {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** The operator's objects in the cluster. The key is the kind and the name of the object. */
export type Live = ReadonlyMap<string, RenderedObject>;

export function liveObjects(rendered: readonly RenderedObject[]): Map<string, RenderedObject> {
  return new Map(rendered.map((object) => [keyOf(object), object]));
}

export function keyOf({ kind, metadata }: Named): string {
  return `${kind}/${metadata.name}`;
}

export function isAdmission({ kind }: Pick<Named, 'kind'>): boolean {
  return /AdmissionPolicy(Binding)?$/.test(kind);
}

/** Whether the object is an admission policy. Admission policies contain the rules of CapabilityPolicies. */
export function hasText({ kind }: Pick<Named, 'kind'>): boolean {
  return kind.endsWith('AdmissionPolicy');
}

/**
 * Whether the name of the object has the form of the operator's names. Anybody can copy the operator's labels to any
 * object. So if the name of an object has another form, the operator never deletes the object.
 */
export function isNamedByUs(object: Named): boolean {
  const { name } = object.metadata;
  return isAdmission(object) ? /^capabilitypolicy[.-]/.test(name) : name.startsWith(useRoleName(''));
}

/**
 * Sorts objects for their removal. The order puts each binding before the binding's admission policy. The binding of
 * the probe comes after all other bindings.
 */
export function inOrderOfRemoval<One extends Named>(objects: readonly One[]): One[] {
  const order = (object: One) => (isProbeBinding(object) ? 1 : object.kind.endsWith('PolicyBinding') ? 0 : 2);
  return objects.toSorted((a, b) => order(a) - order(b));
}

/**
 * The finalizers that keep a deleted object in the cluster. If nobody has deleted the object, the result is undefined.
 */
export function heldBy({ metadata }: RenderedObject): string | undefined {
  return metadata.deletionTimestamp === undefined ? undefined : (metadata.finalizers ?? []).join(', ');
}

export function labelOf({ metadata }: RenderedObject | Manifest, label: string): string | undefined {
  return metadata.labels?.[label];
}
