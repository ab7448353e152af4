/** Turns single overrides, given by path, into the form that the API has in `spec.overrides`. */
import type { CapabilityPolicyOverrides } from './capability-policy.ts';

/** @param stated the values by path below `spec.overrides`, such as `seccomp.types` */
export function overridesOf(stated: Readonly<Record<string, unknown>>): CapabilityPolicyOverrides {
  const overrides: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(stated)) {
    const [field = '', inner] = path.split('.');
    // One path may state a whole field, and another path may state a further value in the same field.
    overrides[field] =
      inner === undefined ? whole(overrides[field], value) : { ...(overrides[field] as object), [inner]: value };
  }
  return overrides;
}

function whole(known: unknown, value: unknown): unknown {
  return known === undefined ? value : { ...known, ...(value as object) };
}
