/** Reads the sets of policies that the user names on the command line. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { endedRollouts } from '../../../analysis/compare/endless-rollout.ts';
import { type PolicySet, policySetOf } from '../../../analysis/compare/policy-set.ts';
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import type { PolicyContext, PolicySource } from '../../../analysis/policies/context.ts';
import { PolicyContextBuilder } from '../../../analysis/policies/context-builder.ts';
import { SNAPSHOT_VERSION, type Snapshot } from '../../../analysis/snapshot/document.ts';
import { restoreCluster } from '../../../analysis/snapshot/restore.ts';
import type { Compiled } from '../../../operator/compile/compile.ts';
import { EXCLUDED_NAMESPACES, OPERATOR_NAMESPACE } from '../../../operator/model/namespaces.ts';
import { LEVELS, type Level, NEWEST_KNOWN_MINOR, parseVersion } from '../../../operator/standards/level-version.ts';
import { reportedServerDefaults } from '../../../operator/state/server-defaults.ts';
import { type Io, UsageError } from '../../command.ts';
import type { Excluding, Given, PolicyOptions } from '../../options.ts';
import { addPolicies } from '../../policies/add-files.ts';
import { storedSnapshot } from '../report/stored-snapshot.ts';
import { GIT, withCommitted } from './committed.ts';
import { type PlaceOf, placesIn } from './places.ts';

export interface SetOptions extends Given<Omit<PolicyOptions, 'context' | 'operatorNamespace'>> {
  /** If the command line does not contain the option, the value is undefined. */
  readonly operatorNamespace?: string;
  readonly at?: number;
  readonly serverVersion?: number;
}

/** A set that the user named on the command line. */
export interface ReadSet extends PolicySet {
  /**
   * Finds the place of a policy in a file. A policy that comes from a level or a cluster is not in a file, so the
   * result is undefined.
   */
  readonly placeOf: PlaceOf;
  /** The snapshot that contains the policies. If the set is not from a snapshot, the field is absent. */
  readonly snapshot?: Snapshot;
}

/**
 * A set before it is compiled. Compilation starts after both sets are read, because `latest` depends on the API servers
 * of both sets.
 */
interface Read {
  readonly builder: PolicyContextBuilder;
  /**
   * The minor version of the oldest API server, which is N for Kubernetes 1.N. If the set is from manifests or is a
   * level, the field is absent.
   */
  readonly server?: number;
  /** The namespace of the operator. Only a snapshot names it. */
  readonly operatorNamespace?: string;
  readonly excludedNamespaces?: readonly string[];
  readonly isLevel?: true;
  readonly snapshot?: Snapshot;
}

type Tell = (trouble: Trouble) => void;

/** The name of a set, as the output shows it. */
export function shownName(name: string): string {
  return name === '-' ? 'standard input' : name;
}

export async function readSets(
  names: readonly [string, string],
  options: SetOptions,
  io: Io,
  tell: Tell,
): Promise<readonly [ReadSet, ReadSet]> {
  if (names[0] === '-' && names[1] === '-') throw new UsageError('only one of the two sets can be standard input');
  const [old, now] = [await read(names[0], options, io, tell), await read(names[1], options, io, tell)];
  const others = {
    server: now.server ?? old.server,
    operatorNamespace: now.operatorNamespace ?? old.operatorNamespace,
    excludedNamespaces: now.excludedNamespaces ?? old.excludedNamespaces,
    // The status of a manifest is ignored. The comparison assumes for both sets that API servers fill in the same fields.
    serverDefaults: reportedServerDefaults([old, now].flatMap(({ builder }) => [...builder.policies.values()])),
  };
  const setOf = (one: Read): ReadSet => ({
    ...policySetOf(contextOf(one, others, options, tell)),
    placeOf: one.isLevel ? () => undefined : placesIn(one.builder),
    ...(one.snapshot && { snapshot: one.snapshot }),
  });
  return [setOf(old), setOf(now)];
}

/** One set of policies, and the data that findings about the set need. */
export interface NamedSet {
  readonly set: PolicySet;
  /** The policies that have expired. Expired policies count as deleted. */
  readonly expired: Compiled['expired'];
  /** The names of the policies whose rollouts have ended. A file does not show whether a rollout has ended. */
  readonly ended: ReadonlySet<string>;
  /** The places where the policies were read in files. The key is the name of the policy. */
  readonly sources: ReadonlyMap<string, PolicySource>;
}

export async function readSet(name: string, options: SetOptions, io: Io, tell: Tell): Promise<NamedSet> {
  const found = await read(name, options, io, tell);
  // The only purpose of the warnings is to name the expired policies. The findings already name the expired policies,
  // so the warnings are not printed.
  const tellErrors: Tell = (trouble) => trouble.severity !== 'warning' && tell(trouble);
  const context = contextOf(found, {}, options, tellErrors);
  const sources = found.isLevel ? new Map() : context.sources;
  const ended = endedRollouts(found.builder.policies.values());
  return { set: policySetOf(context), expired: context.compiled.expired, ended, sources };
}

/**
 * Facts about the cluster for a set that lacks these facts. Policies from manifests are compared as if they were in the
 * cluster of the other set.
 */
interface Others {
  readonly server?: number | undefined;
  readonly operatorNamespace?: string | undefined;
  readonly excludedNamespaces?: readonly string[] | undefined;
  readonly serverDefaults?: readonly string[];
}

function contextOf(
  { builder, server, operatorNamespace, excludedNamespaces, isLevel }: Read,
  others: Others,
  options: SetOptions,
  tell: Tell,
): PolicyContext {
  return builder.build(
    {
      operatorNamespace: isLevel
        ? ''
        : (options.operatorNamespace ?? operatorNamespace ?? others.operatorNamespace ?? OPERATOR_NAMESPACE),
      excludedNamespaces: isLevel
        ? []
        : (options.excludedNamespaces ?? excludedNamespaces ?? others.excludedNamespaces ?? EXCLUDED_NAMESPACES),
      namespaceLabels: {},
      oldestServer: options.serverVersion ?? server ?? others.server ?? NEWEST_KNOWN_MINOR,
      ...(others.serverDefaults && { serverDefaults: others.serverDefaults }),
      at: options.at ?? Date.now(),
    },
    tell,
  );
}

async function read(name: string, options: SetOptions, io: Io, tell: Tell): Promise<Read> {
  const [kind = '', ...rest] = name.split(':');
  const detail = rest.length > 0 ? rest.join(':') : undefined;
  if (kind === 'cluster') return readLive(detail, options, io);
  if ((LEVELS as readonly string[]).includes(kind)) return readLevel(kind as Level, detail ?? 'latest');
  if (kind === GIT) return readCommitted(name, io, tell);
  return readPath(name, io, tell);
}

/** Reads a snapshot or manifests. */
async function readPath(name: string, io: Io, tell: Tell): Promise<Read> {
  if (isSnapshot(name, io)) {
    const snapshot = storedSnapshot(resolve(io.cwd, name));
    const cluster = restoreCluster(snapshot);
    const builder = new PolicyContextBuilder();
    builder.addCluster(cluster);
    const { operatorNamespace, excludedNamespaces } = snapshot;
    return { builder, server: cluster.oldestServer, operatorNamespace, excludedNamespaces, snapshot };
  }
  const builder = new PolicyContextBuilder();
  await addPolicies(builder, [name], io, { trouble: tell });
  return { builder };
}

function readCommitted(name: string, io: Io, tell: Tell): Promise<Read> {
  const commit = name.split(':').slice(0, 2).join(':');
  return withCommitted(name, io, ({ path, cwd }) =>
    readPath(path, { ...io, cwd }, (trouble) => tell({ ...trouble, file: `${commit}:${trouble.file}` })),
  );
}

function readLevel(level: Level, version: string): Read {
  if (version !== 'latest' && parseVersion(version) === undefined)
    throw new UsageError(`${level}:${version}: write a version such as ${level}:v1.30, or ${level}:latest`);
  return { builder: PolicyContextBuilder.ofLevel(level, version), isLevel: true };
}

async function readLive(context: string | undefined, options: SetOptions, io: Io): Promise<Read> {
  const { excludingPlatform, readWhole, withCluster } = await import('../../cluster.ts');
  const given = { ...options, ...(context !== undefined && { context }) };
  return withCluster(given, async (connected) => {
    const { excludedNamespaces } = await excludingPlatform<Excluding>(given, connected);
    const cluster = await readWhole(connected, io, { workloads: false });
    const builder = new PolicyContextBuilder();
    builder.addCluster(cluster);
    return { builder, server: cluster.oldestServer, excludedNamespaces };
  });
}

/** The first bytes of a gzip file. */
const GZIP = [0x1f, 0x8b];

/** Whether `cappol snapshot` wrote the file. The file may be compressed. */
function isSnapshot(name: string, io: Io): boolean {
  if (name === '-') return false;
  const path = resolve(io.cwd, name);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  const bytes = readFileSync(path);
  const isCompressed = GZIP.every((byte, i) => bytes[i] === byte);
  return isCompressed || bytes.subarray(0, 200).toString('utf8').includes(`"${SNAPSHOT_VERSION}"`);
}
