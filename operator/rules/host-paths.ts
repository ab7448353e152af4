import { and, literal } from './cel.ts';
import { all, concat, not } from './condition.ts';
import { distinct } from './fit.ts';
import { defineRule, type Fix, type Test } from './rule.ts';
import { type Columns, LiteralValues, type Values } from './values.ts';

interface HostPath {
  readonly pathPrefix: string;
  readonly readOnly?: boolean;
}

/**
 * A CEL expression of type bool: whether one of the prefixes covers the hostPath volume `v`. A prefix matches only
 * whole path components: `/foo` covers `/foo`, `/foo/` and `/foo/x`, but not `/foobar`. The prefix `/foo` does not
 * cover `//foo`, which the kernel reads as the same path.
 */
function covered(prefixes: readonly HostPath[]): string {
  const path = 'v.?hostPath.?path.orValue("")';
  const conditions = prefixes.map(({ pathPrefix }) => {
    const prefix = pathPrefix.endsWith('/') ? pathPrefix.slice(0, -1) : pathPrefix;
    const below = `${path}.startsWith(${literal(`${prefix}/`)})`;
    // The slash at the end is removed, so that the prefix /foo/ also covers the path /foo.
    return prefix.endsWith('/') ? below : `${path} == ${literal(prefix)} || ${below}`;
  });
  return conditions.length === 0 ? 'false' : conditions.join(' || ');
}

/**
 * A CEL expression of type bool: whether a prefix in the columns covers the hostPath volume `v`. The expression works
 * for any values.
 * @param columns the columns that list the prefixes
 */
function isCovered(values: Values, ...columns: readonly string[]): string {
  return values.specialized(
    (row) => covered(columns.flatMap((column) => (row[column] ?? []).map((pathPrefix) => ({ pathPrefix })))),
    () => {
      const prefixes = columns.map((column) => values.list(column)).join(' + ');
      const stripped = `(${prefixes}).map(q, q.endsWith("/") ? q.substring(0, q.size() - 1) : q)`;
      const list = values.computed(`${columns.join('And')}Stripped`, stripped);
      const path = 'v.?hostPath.?path.orValue("")';
      return `${list}.exists(q, ${path}.startsWith(q.endsWith("/") ? q : q + "/") || !q.endsWith("/") && ${path} == q)`;
    },
  );
}

function pathTest(values: Values): Test {
  return {
    applies: not(values.includes('hostPaths', '*')),
    over: 'volumes',
    violates: and('v.?hostPath.hasValue()', `!(${isCovered(values, 'hostPaths', 'readOnlyHostPaths')})`),
    message: concat(
      '"must not have hostPath.path " + v.?hostPath.?path.orValue("")',
      '" (allowed: "',
      values.listed('allowedHostPaths'),
      '")"',
    ),
    path: 'hostPath.path',
  };
}

/**
 * The rule admits at most this number of read-only volumes in a pod. Real pods have fewer. The limit bounds the cost,
 * which grows with mounts × read-only volumes. An override that admits more paths never makes more volumes of a
 * compliant pod read-only.
 */
const MOST_READ_ONLY = 256;
const VOLUMES = 'variables.spec.?volumes.orValue([])';
const MOUNTS = 'c.?volumeMounts.orValue([])';
/** A CEL expression of type bool, for a mount `m`: true if the container may write to the volume. */
const MAY_WRITE = '!m.?readOnly.orValue(false)';

/**
 * A CEL expression of type bool, for a volume `v`: true if containers must mount the volume read-only. If a writable
 * prefix covers a volume, containers may write to the volume, even if a read-only prefix also covers the volume.
 */
function isReadOnly(values: Values): string {
  const writable = isCovered(values, 'hostPaths');
  return and('v.?hostPath.hasValue()', isCovered(values, 'readOnlyHostPaths'), `!(${writable})`);
}

function readOnlyFix(values: Values): Fix {
  return {
    over: 'containers',
    path: ['volumeMounts', '*', 'readOnly'],
    when: `!item.?readOnly.orValue(false) && ${VOLUMES}.exists(v, v.name == item.name && ${isReadOnly(values)})`,
    value: 'true',
    class: 'check',
    risk: 'the container can no longer write to this path of the node',
  };
}

function mountTest(values: Values): Test {
  const volumes = `${VOLUMES}.filter(v, ${isReadOnly(values)}).map(v, v.name)`;
  const isWritten = and(MAY_WRITE, 'm.name in names');
  const tooMany = `names.size() > ${MOST_READ_ONLY}`;
  // A loop over a list with one item gives the item a name. So the CEL expression searches the volumes once, and not
  // once for each mount.
  const named = (macro: string, text: string) => `[${volumes}].${macro}(names, ${text})`;
  return {
    applies: all(not(values.includes('hostPaths', '*')), values.hasSome('readOnlyHostPaths')),
    over: 'containers',
    violates: named('exists', `${tooMany} || names.size() > 0 && ${MOUNTS}.exists(m, ${isWritten})`),
    message: `${named(
      'map',
      `${tooMany} ? "must not be in a pod of more than ${MOST_READ_ONLY} read-only hostPath volumes" : ${concat(
        `"must mount with readOnly: true the volume " + ${MOUNTS}.filter(m, ${isWritten}).map(m, m.name).join(", ")`,
        '" (allowed: "',
        values.listed('allowedHostPaths'),
        '")"',
      )}`,
    )}[0]`,
    path: 'volumeMounts',
  };
}

/** A CEL expression of type list(string): the paths that a container mounts as writable. */
const WRITTEN =
  `[${MOUNTS}.filter(m, ${MAY_WRITE}).map(m, m.name)].map(names, ` +
  `${VOLUMES}.filter(v, v.?hostPath.hasValue() && v.name in names).map(v, v.?hostPath.?path.orValue("")))[0]`;

/** Matches absolute paths without `..`. */
const PREFIX = /^\/(?!(?:.*\/)?\.\.(?:\/|$))/;

/** Drops entries that another entry covers. */
function withoutCovered(paths: readonly HostPath[]): HostPath[] {
  const root = ({ pathPrefix }: HostPath) => `${pathPrefix.replace(/\/$/, '')}/`;
  const covers = (wide: HostPath, path: HostPath) =>
    root(path).startsWith(root(wide)) && (!wide.readOnly || path.readOnly);
  return paths.reduce<HostPath[]>(
    (kept, path) =>
      kept.some((one) => covers(one, path)) ? kept : [...kept.filter((one) => !covers(path, one)), path],
    [],
  );
}

function columnsOf(paths: readonly HostPath[] | undefined): Columns {
  if (!paths) return { hostPaths: ['*'], readOnlyHostPaths: [], allowedHostPaths: [] };
  const [readOnly, writable] = [paths.filter((path) => path.readOnly), paths.filter((path) => !path.readOnly)];
  const prefixes = (some: readonly HostPath[]) => some.map(({ pathPrefix }) => pathPrefix);
  return {
    hostPaths: prefixes(writable),
    readOnlyHostPaths: prefixes(readOnly),
    // The column `allowedHostPaths` is for messages, and has the order of the policy's list.
    allowedHostPaths: paths.map((path) => (path.readOnly ? `${path.pathPrefix} read-only` : path.pathPrefix)),
  };
}

type Asked = readonly [how: 'mounted' | 'written', path: string];

export const hostPaths = defineRule<readonly HostPath[] | undefined, Asked>({
  id: 'hostPaths',
  title: 'Which node paths hostPath volumes may mount, and which of these paths must be mounted read-only.',
  words:
    'The Pod Security Standards have no such rule. PodSecurityPolicy: the path of a hostPath volume must have one of the prefixes. If the ' +
    'prefix has readOnly: true, containers must mount the volume read-only.',
  sources: ['PodSecurityPolicy allowedHostPaths'],
  guides: { cis: ['5.2.11'], nsa: ['Breakout'] },
  severity: 'NodeAccess',
  reads: { spec: ['volumes'], container: ['volumeMounts'] },
  examples: [
    {
      overrides: { hostPaths: [{ pathPrefix: '/var/log', readOnly: true }] },
      admits: [{ spec: { volumes: [{ name: 'one', hostPath: { path: '/var/log/pods' } }] } }],
      refuses: [
        { spec: { volumes: [{ name: 'one', hostPath: { path: '/etc' } }] } },
        {
          spec: { volumes: [{ name: 'one', hostPath: { path: '/var/log' } }] },
          container: { volumeMounts: [{ name: 'one', mountPath: '/one' }] },
        },
      ],
    },
    {
      overrides: { hostPaths: [{ pathPrefix: '/var', readOnly: true }, { pathPrefix: '/var/log' }] },
      admits: [
        {
          spec: { volumes: [{ name: 'one', hostPath: { path: '/var/log' } }] },
          container: { volumeMounts: [{ name: 'one', mountPath: '/one' }] },
        },
      ],
      refuses: [
        {
          spec: { volumes: [{ name: 'one', hostPath: { path: '/var/lib' } }] },
          container: { volumeMounts: [{ name: 'one', mountPath: '/one' }] },
        },
      ],
    },
  ],

  value: (overrides) => overrides.hostPaths,

  columns: columnsOf,

  tests: (values) => [pathTest(values), mountTest(values)],

  fixes: (paths) => (paths?.some(({ readOnly }) => readOnly) ? [readOnlyFix(new LiteralValues(columnsOf(paths)))] : []),
  unfixable:
    'the pod mounts a path of the node that no allowed prefix covers, and no field of the pod can replace the path',

  podSecurity: () => 'restricted',

  fit: () => ({
    guards: { path: 'volumes', entry: 'hostPath' },
    asks: [
      { over: 'volumes', for: 'v.?hostPath.hasValue() ? [["mounted", v.?hostPath.?path.orValue("")]] : []' },
      { over: 'containers', for: `${WRITTEN}.map(path, ["written", path])` },
    ],
    choices: (asked) => {
      const written = asked.filter(([how]) => how === 'written').map(([, path]) => path);
      const paths = distinct(asked.map(([, path]) => path));
      const listable = paths.length <= 32 && paths.every((path) => PREFIX.test(path) && path.length <= 512);
      const entry = (pathPrefix: string) => ({ pathPrefix, ...(!written.includes(pathPrefix) && { readOnly: true }) });
      return listable ? [{ hostPaths: withoutCovered(paths.map(entry)) }] : [];
    },
  }),
});
