/**
 * Random values of the overrides that have few possible values, and random fields of pods. The values come from the
 * schema and the rules' examples.
 */
import { isDeepStrictEqual } from 'node:util';
import fc, { type Arbitrary } from 'fast-check';
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import schema from '../../operator/api/generated/schema.json' with { type: 'json' };
import type { Schema } from '../../operator/api/schema.ts';
import type { ExamplePod } from '../../operator/rules/example.ts';
import { RULES } from '../../operator/rules/index.ts';
import type { Standard } from '../../operator/standards/level-version.ts';

/** The new value of one field. The value undefined removes the field. */
export interface Setting {
  /**
   * The path of the field, such as ['securityContext', 'runAsUser']. The path is relative to the PodSpec, the container
   * or the metadata.
   */
  readonly path: readonly string[];
  readonly value: unknown;
}

type Field = keyof CapabilityPolicyOverrides;
type Fields = Readonly<Record<string, unknown>>;

const OVERRIDES = schema.properties.spec.properties.overrides.properties as Readonly<Record<string, Schema>>;

/** Random values of those overrides whose type is boolean or an enum. */
export const SWITCHES = Object.fromEntries(
  Object.entries(OVERRIDES).flatMap(([field, { type, enum: words }]) => {
    if (type === 'boolean') return [[field, fc.boolean()]];
    return words ? [[field, fc.constantFrom(...words)]] : [];
  }),
) as { readonly [F in Field]: Arbitrary<Exclude<CapabilityPolicyOverrides[F], undefined>> };

export const EXAMPLE_PODS: readonly ExamplePod[] = RULES.flatMap(({ examples }) =>
  examples.flatMap(({ admits, refuses }) => [...admits, ...refuses]),
);

/**
 * The example pods of rules whose override has only a few possible values. The fields of these example pods have few
 * possible values, too.
 */
export const SWITCHED_PODS: readonly ExamplePod[] = RULES.filter(({ id }) => Object.hasOwn(SWITCHES, id)).flatMap(
  ({ examples }) => examples.flatMap(({ admits, refuses }) => [...admits, ...refuses]),
);

/**
 * The fields of the PodSpec that a policy requires. Among the rules whose override has only a few possible values, some
 * rules refuse a pod that sets no field. The required fields come from the examples of these rules.
 *
 * @param values the policy's values by rule ID
 */
export function demandedSpec(values: Fields, standard: Standard): Fields {
  const specs = RULES.filter(({ id }) => Object.hasOwn(SWITCHES, id)).flatMap(({ id, examples, value }) =>
    examples
      .filter(({ overrides }) => isDeepStrictEqual(value(overrides, standard), values[id]))
      .filter(({ refuses }) => refuses.some((pod) => Object.keys(pod).length === 0))
      .flatMap(({ admits: [pod] }) => (pod?.spec ? [pod.spec] : [])),
  );
  const { securityContext: _, ...spec } = Object.assign({}, ...specs);
  return spec;
}

/**
 * A random setting. The setting sets one field of the PodSpec or of a container. The value comes from an example pod.
 */
export function exampleSettings(part: keyof ExamplePod): Arbitrary<Setting> {
  return fc.constantFrom(...EXAMPLE_PODS.flatMap(({ [part]: fields = {} }) => settingsIn(fields)));
}

/**
 * One setting for each field. Each field of the securityContext is a separate setting. Some fields are unknown to all
 * API servers. These fields are left out, because API servers drop unknown fields.
 */
export function settingsIn(fields: Fields): Setting[] {
  return Object.entries(fields)
    .flatMap(([field, value]) =>
      field === 'securityContext'
        ? Object.entries(value as Fields).map(([inner, of]) => ({ path: [field, inner], value: of }))
        : [{ path: [field], value }],
    )
    .filter((setting) => !hasUnknownField(setting));
}

/**
 * Whether a pod, or a setting of a pod, has a field that no version of Kubernetes has. Some examples of the rules have
 * unknown fields.
 */
export function hasUnknownField(one: object): boolean {
  return JSON.stringify(one).includes('"fieldOfTomorrow"');
}
