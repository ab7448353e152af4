/** Describes the overrides of a policy in words. The overrides are the differences between the policy and its level. */
import type { CompleteSpec, NamedContainers } from '../../operator/api/capability-policy.ts';
import { RULES } from '../../operator/rules/index.ts';

/** The functions that describe overrides in words. Each override that a rule can describe in words has a function. */
const WORDS: Readonly<Record<string, (value: never) => string>> = Object.assign(
  {},
  ...RULES.map(({ phrases }) => phrases),
);

/** The phrases, one for each override. If the policy has no overrides, the list is empty. */
export function exceptions({
  overrides = {},
  containers = [],
}: Pick<CompleteSpec, 'overrides' | 'containers'>): string[] {
  return [
    ...phrases(overrides),
    ...containers.map(
      (entry) => `${containersText(entry)}: ${phrases(entry.overrides ?? {}).join(', ') || 'as the others'}`,
    ),
  ];
}

/**
 * The containers to which an entry of `spec.containers` applies, in words. If an entry has names and images, a
 * container must match a name and an image.
 */
function containersText({ names = [], images = [] }: NamedContainers): string {
  const named = names.length > 0 ? `container ${names.join(', ')}` : 'any container';
  return images.length > 0 ? `${named} of image ${images.join(', ')}` : named;
}

function phrases(overrides: object): string[] {
  return stated(overrides, '').map(([path, value]) => {
    const words = Object.hasOwn(WORDS, path) ? (WORDS[path] as (value: unknown) => string) : undefined;
    return words ? words(value) : `${path} ${valueText(value)}`;
  });
}

/** The overrides whose fields have separate descriptions. */
const BY_FIELD = RULES.filter(({ byField }) => byField).map(({ id }) => id);

function stated(overrides: object, prefix: string): [path: string, value: unknown][] {
  return Object.entries(overrides).flatMap(([field, value]): [string, unknown][] =>
    BY_FIELD.includes(field) && typeof value === 'object' && value !== null
      ? stated(value, `${field}.`)
      : [[prefix + field, value]],
  );
}

/** The value of an override in words, such as `MustRunAs 1-65535` or `RuntimeDefault, Localhost`. */
function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.length > 0 ? value.map(valueText).join(', ') : 'none';
  if (typeof value !== 'object' || value === null) return String(value);
  const { min, max, ...rest } = value as Readonly<Record<string, unknown>>;
  const range = min === undefined && max === undefined ? [] : [`${min ?? ''}–${max ?? ''}`];
  return [...Object.values(rest).map(valueText), ...range].join(' ');
}
