/** Migrates the fields about a pod's access to the node: ports, volumes, host paths and drivers. */
import { type IdRange, merge } from './ids.ts';
import { distinct, inexact, known, type MigratedField, stated, statedOrUnset, withRoom } from './migrated-field.ts';
import type { PspSpec } from './psp.ts';

const MOST = 32;
const LAST_PORT = 65535;
const LONGEST_PATH = 512;

/** Migrates ports. Port ranges are cut to valid ports, because the API server did not validate the ranges. */
export function hostPorts({ hostPorts: ranges }: PspSpec): MigratedField {
  const field = 'spec.hostPorts';
  const written = (ranges ?? []).map(({ min = 0, max = 0 }) => ({ min, max }));
  const clipped = written.map(({ min, max }) => ({ min: Math.max(min, 1), max: Math.min(max, LAST_PORT) }));
  const real = distinct(clipped.filter(({ min, max }) => min <= max));
  const { kept, remarks } = withRoom(field, real.length > MOST ? merge(real) : real, MOST);
  const empty = written
    .map((range, i) => ({ range, i }))
    .filter(({ i }) => (clipped[i] as IdRange).min > (clipped[i] as IdRange).max)
    .map(({ range, i }) => known(`${field}[${i}]`, range, 'left out: the range contains no port'));
  return { statements: [statedOrUnset('hostPorts', kept, field, ranges)], remarks: [...empty, ...remarks] };
}

/**
 * @param field the name of the input's field, such as `spec.volumes` or `volumes`
 * @param names maps each volume type of the input to its name in a pod
 */
export function volumeTypes(
  field: string,
  types: readonly string[] | undefined,
  names: ReadonlyMap<string, string>,
): MigratedField {
  if (types?.includes('*')) return { statements: [stated('volumes', ['*'], field)] };
  const volumes = distinct((types ?? []).map((type) => names.get(type) ?? type));
  // Before projected volumes existed, tokens were in Secrets. A policy that admitted Secrets therefore continued to
  // admit projected token volumes.
  const tokens = volumes.includes('secret') && !volumes.includes('projected');
  return {
    statements: [
      statedOrUnset('volumes', volumes, field, types),
      ...(tokens ? [stated('serviceAccountTokenVolumes', true, field)] : []),
    ],
  };
}

/**
 * Migrates host paths. An empty list admits any path. If the same prefix is listed as writable and as read-only, the
 * path is writable.
 */
export function hostPaths({ allowedHostPaths = [] }: PspSpec): MigratedField {
  if (allowedHostPaths.length === 0) return {};
  const field = 'spec.allowedHostPaths';
  const fits = (prefix: string) => prefix.startsWith('/') && prefix.length <= LONGEST_PATH;
  const left = allowedHostPaths.flatMap(({ pathPrefix = '' }, i) =>
    fits(pathPrefix) ? [] : [inexact(`${field}[${i}].pathPrefix`, pathPrefix, unfit(pathPrefix))],
  );
  const usable = allowedHostPaths.filter(({ pathPrefix = '' }) => fits(pathPrefix));
  const paths = [...Map.groupBy(usable, ({ pathPrefix = '' }) => pathPrefix)].map(([pathPrefix, same]) => ({
    pathPrefix,
    ...(same.every(({ readOnly }) => readOnly) && { readOnly: true }),
  }));
  const { kept, remarks } = withRoom(field, paths, MOST);
  return { statements: [stated('hostPaths', kept, field)], remarks: [...left, ...remarks] };
}

function unfit(prefix: string): string {
  return prefix.startsWith('/')
    ? `left out: longer than ${LONGEST_PATH} characters. Pods that only this entry admits are refused`
    : 'left out: not an absolute path. The entry admitted only hostPath volumes with relative paths';
}

/** Migrates a list of volume drivers. An empty list admits any driver. */
export function drivers(override: string, field: string, names: readonly string[] = []): MigratedField {
  if (names.length === 0) return {};
  const { kept, remarks } = withRoom(field, distinct(names), MOST);
  return { statements: [stated(override, kept, field)], remarks };
}
