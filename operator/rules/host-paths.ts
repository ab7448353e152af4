import { and, literal } from './cel.ts';
import { type Check, defineRule } from './rule.ts';

interface HostPath {
  readonly pathPrefix: string;
  readonly readOnly?: boolean;
}

/**
 * CEL, bool: whether the hostPath volume `v` is at one of the prefixes or below. Whole components count: `/foo` covers
 * `/foo`, `/foo/` and `/foo/x`, not `/foobar`, and not `//foo`, which the kernel takes for the same.
 */
function covered(prefixes: readonly HostPath[]): string {
  const path = 'v.?hostPath.?path.orValue("")';
  const conditions = prefixes.map(({ pathPrefix }) => {
    const prefix = pathPrefix.endsWith('/') ? pathPrefix.slice(0, -1) : pathPrefix;
    return `${path} == ${literal(prefix)} || ${path}.startsWith(${literal(`${prefix}/`)})`;
  });
  return conditions.length === 0 ? 'false' : conditions.join(' || ');
}

function allowedText(paths: readonly HostPath[]): string {
  if (paths.length === 0) return 'none';
  return paths.map(({ pathPrefix, readOnly }) => (readOnly ? `${pathPrefix} read-only` : pathPrefix)).join(', ');
}

function pathCheck(paths: readonly HostPath[]): Check {
  return {
    over: 'volumes',
    violates: and('v.?hostPath.hasValue()', `!(${covered(paths)})`),
    message: `"must not have hostPath.path " + v.?hostPath.?path.orValue("") + ${literal(` (allowed: ${allowedText(paths)})`)}`,
    path: 'hostPath.path',
  };
}

/** A volume that some writable prefix covers may be written to, whatever else covers it. */
function mountCheck(paths: readonly HostPath[]): Check {
  const readOnly = covered(paths.filter((path) => path.readOnly));
  const writable = covered(paths.filter((path) => !path.readOnly));
  const volume = and('v.name == m.name', 'v.?hostPath.hasValue()', readOnly, `!(${writable})`);
  const bad = and('!m.?readOnly.orValue(false)', `variables.spec.?volumes.orValue([]).exists(v, ${volume})`);
  const mounts = 'c.?volumeMounts.orValue([])';
  return {
    over: 'containers',
    violates: `${mounts}.exists(m, ${bad})`,
    message: `"must mount with readOnly: true the volume " + ${mounts}.filter(m, ${bad}).map(m, m.name).join(", ") + ${literal(` (allowed: ${allowedText(paths)})`)}`,
    path: 'volumeMounts',
  };
}

export const hostPaths = defineRule<readonly HostPath[] | undefined>({
  id: 'hostPaths',
  title: 'Which paths of the node hostPath volumes may mount, and which only for reading.',
  words:
    'No Standard has this. PodSecurityPolicy: the path must have one of the prefixes, and be mounted as that says.',
  sources: ['PodSecurityPolicy allowedHostPaths'],
  reads: { spec: ['volumes'], container: ['volumeMounts'] },

  value: (overrides) => overrides.hostPaths,

  checks: (paths) => {
    if (!paths) return [];
    return paths.some(({ readOnly }) => readOnly) ? [pathCheck(paths), mountCheck(paths)] : [pathCheck(paths)];
  },

  podSecurity: () => 'restricted',
});
