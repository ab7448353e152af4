/** Reads the sets of policies that a command line names. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type PolicySet, policySetOf } from '../../../analysis/compare/policy-set.ts';
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import type { PolicyContext, PolicySource } from '../../../analysis/policies/context.ts';
import { PolicyContextBuilder } from '../../../analysis/policies/context-builder.ts';
import { SNAPSHOT_VERSION, type Snapshot } from '../../../analysis/snapshot/document.ts';
import { restoreCluster } from '../../../analysis/snapshot/restore.ts';
import type { Compiled } from '../../../operator/compile/compile.ts';
import { EXCLUDED_NAMESPACES } from '../../../operator/model/namespaces.ts';
import { LEVELS, type Level, NEWEST_KNOWN_MINOR, parseVersion } from '../../../operator/standards/level-version.ts';
import { type Io, UsageError } from '../../command.ts';
import type { Given, PolicyOptions } from '../../options.ts';
import { addPolicies } from '../../policies/add-files.ts';
import { storedSnapshot } from '../report/stored-snapshot.ts';
import { GIT, withCommitted } from './committed.ts';
import { type PlaceOf, placesIn } from './places.ts';

export interface SetOptions extends Given<Omit<PolicyOptions, 'context'>> {
  readonly at?: number;
  readonly serverVersion?: number;
}

/** A set as the command line names it. */
export interface ReadSet extends PolicySet {
  /** The places of the policies in files; policies of a level or a cluster have none. */
  readonly placeOf: PlaceOf;
  /** The snapshot that the policies are from; absent for a set from elsewhere. */
  readonly snapshot?: Snapshot;
}

/** A set before it is compiled, because `latest` depends on the API servers of either set. */
interface Read {
  readonly builder: PolicyContextBuilder;
  /** The oldest API server, if the set is from a cluster. */
  readonly server?: number;
  readonly excludedNamespaces?: readonly string[];
  readonly isLevel?: true;
  readonly snapshot?: Snapshot;
}

type Tell = (trouble: Trouble) => void;

/** The name of a set in the output. */
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
  const server = options.serverVersion ?? now.server ?? old.server ?? NEWEST_KNOWN_MINOR;
  const setOf = (one: Read): ReadSet => ({
    ...policySetOf(contextOf(one, server, options, tell)),
    placeOf: one.isLevel ? () => undefined : placesIn(one.builder),
    ...(one.snapshot && { snapshot: one.snapshot }),
  });
  return [setOf(old), setOf(now)];
}

/** A set of policies, with what its own findings are about. */
export interface NamedSet {
  readonly set: PolicySet;
  /** The policies that have expired, and count as deleted. */
  readonly expired: Compiled['expired'];
  /** The places where the policies of files were read, by name of the policy. */
  readonly sources: ReadonlyMap<string, PolicySource>;
}

export async function readSet(name: string, options: SetOptions, io: Io, tell: Tell): Promise<NamedSet> {
  const found = await read(name, options, io, tell);
  // The warnings name the expired policies, and so do the findings.
  const tellErrors: Tell = (trouble) => trouble.severity !== 'warning' && tell(trouble);
  const context = contextOf(found, options.serverVersion ?? found.server ?? NEWEST_KNOWN_MINOR, options, tellErrors);
  const sources = found.isLevel ? new Map() : context.sources;
  return { set: policySetOf(context), expired: context.compiled.expired, sources };
}

function contextOf(
  { builder, server, excludedNamespaces, isLevel }: Read,
  otherServer: number,
  options: SetOptions,
  tell: Tell,
): PolicyContext {
  return builder.build(
    {
      operatorNamespace: isLevel ? '' : options.operatorNamespace,
      excludedNamespaces: isLevel ? [] : (options.excludedNamespaces ?? excludedNamespaces ?? EXCLUDED_NAMESPACES),
      namespaceLabels: {},
      oldestServer: options.serverVersion ?? server ?? otherServer,
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
    return { builder, server: cluster.oldestServer, excludedNamespaces: snapshot.excludedNamespaces, snapshot };
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
    const { excludedNamespaces } = await excludingPlatform<PolicyOptions>(given, connected);
    const cluster = await readWhole(connected, io, { workloads: false });
    const builder = new PolicyContextBuilder();
    builder.addCluster(cluster);
    return { builder, server: cluster.oldestServer, excludedNamespaces };
  });
}

/** The beginning of a compressed file. */
const GZIP = [0x1f, 0x8b];

/** Whether the file is one that `cappol snapshot` wrote, possibly compressed. */
function isSnapshot(name: string, io: Io): boolean {
  if (name === '-') return false;
  const path = resolve(io.cwd, name);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  const bytes = readFileSync(path);
  const isCompressed = GZIP.every((byte, i) => bytes[i] === byte);
  return isCompressed || bytes.subarray(0, 200).toString('utf8').includes(`"${SNAPSHOT_VERSION}"`);
}
