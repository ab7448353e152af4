/** Finds the fields that an API server filled into a pod, but that this release does not know. */
import { arrayOf, objectOf } from '../model/raw.ts';
import { knownFields } from '../standards/pod-fields.ts';
import { BASE, type Over, PLACES, type Place } from '../standards/pod-objects.ts';

/**
 * Lists a pod's unknown fields. The list leaves out fields with values that the rule `unknownFields` cannot compare.
 * The rule `unknownFields` can compare strings, numbers and booleans. The rule can also compare objects and lists of
 * objects, if the values in the objects are strings, numbers or booleans. The result has the format of the field
 * `serverDefaults` in the type `Standard`.
 */
export function unknownValues(spec: unknown): string[] {
  const { containers } = objectOf(spec);
  const items = [['pod', spec], ...arrayOf(containers).map((container) => ['containers', container] as const)] as const;
  const found = items.flatMap(([over, item]) => PLACES[over].flatMap((place) => valuesIn(over, place, item)));
  return [...new Set(found)].filter((text) => text.length <= LONGEST_VALUE).sort();
}

/** The maximum length of a field with its value, in characters. The status of a policy has no room for longer texts. */
const LONGEST_VALUE = 512;

function valuesIn(over: Over, { path, types, isList }: Place, item: unknown): string[] {
  const object = path.reduce<unknown>((value, field) => objectOf(value)[field], item);
  const known = types.flatMap(knownFields);
  const full = [BASE[over], ...path].join('.');
  return (isList ? arrayOf(object) : [object]).flatMap((one) =>
    Object.entries(objectOf(one))
      .filter(([field]) => !known.includes(field))
      .flatMap(([field, value]) => {
        if (typeof value !== 'object') return [`${full}.${field}=${value}`];
        if (!Array.isArray(value)) return scalarsIn(value).map((text) => `${full}.${field}.${text}`);
        return value.flatMap((below) => scalarsIn(below).map((text) => `${full}.${field}[].${text}`));
      }),
  );
}

function scalarsIn(value: unknown): string[] {
  return Object.entries(objectOf(value)).flatMap(([field, one]) =>
    typeof one === 'object' ? [] : [`${field}=${one}`],
  );
}
