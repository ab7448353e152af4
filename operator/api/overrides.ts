/** Turns a map from paths to values into an object of the form of `spec.overrides`. */
import type { CapabilityPolicyOverrides } from './capability-policy.ts';

/** @param stated the values. The key is the path below `spec.overrides`, such as `seccomp.types` */
export function overridesOf(stated: Readonly<Record<string, unknown>>): CapabilityPolicyOverrides {
  const overrides: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(stated)) {
    const [field = '', inner] = path.split('.');
    // One path may set a whole field (`seccomp`), and another path may set a value inside the same field
    // (`seccomp.types`).
    overrides[field] =
      inner === undefined ? whole(overrides[field], value) : { ...(overrides[field] as object), [inner]: value };
  }
  return overrides;
}

function whole(known: unknown, value: unknown): unknown {
  return known === undefined ? value : { ...known, ...(value as object) };
}
