/**
 * Reads Kubescape's ApplicationProfiles and ContainerProfiles (spdx.softwarecomposition.kubescape.io; kubescape/storage
 * pkg/apis/softwarecomposition, kubescape/node-agent pkg/containerprofilemanager).
 *
 * A profile lists each capability that the kernel checked, including checks without an audit record. A profile does not
 * say whether the kernel granted the check.
 */
import { CONTAINER_LISTS } from '../../operator/model/containers.ts';
import { arrayOf, isText, objectOf, textsIn } from '../../operator/model/raw.ts';
import { groupOf } from '../../operator/model/workload-kinds.ts';
import { capabilityIn, hull, RecordError, timeIn } from './fields.ts';
import type { ContainerWatch, Evidence, ObservedContainer, ObservedWorkload } from './use.ts';

const PROFILE_GROUP = 'spdx.softwarecomposition.kubescape.io';

const PREFIX = 'kubescape.io/';
/** Matches the ID of a workload, such as `wlid://cluster-prod/namespace-shop/deployment-web`. */
const WLID = /^wlid:\/\/[^/]*\/namespace-([^/]+)\/([a-z]+)-(.+)$/;
const INSTANCE_CONTAINER = /\/(?:c|initC|ephemeralC)ontainerName-([^/]+)$/;

type Fields = Readonly<Record<string, unknown>>;

export function isProfile({ apiVersion }: Fields): boolean {
  return isText(apiVersion) && groupOf(apiVersion) === PROFILE_GROUP;
}

/** The evidence in a profile. @throws RecordError for a profile that contains no evidence */
export function profileEvidence(object: Fields): Evidence {
  const { kind, metadata, spec } = object;
  const { namespace, creationTimestamp } = objectOf(metadata);
  const annotations = textsIn(objectOf(metadata).annotations);
  const about = { ...annotations, ...textsIn(objectOf(metadata).labels) };
  const of = (name: string) => about[`${PREFIX}${name}`];
  if (of('managed-by') === 'User')
    throw new RecordError(
      'a user wrote this profile, so the profile shows allowed capabilities instead of used capabilities',
    );
  if (of('status') === 'too-large') throw new RecordError('the profile was too large, so capabilities may be missing');
  const wlid = WLID.exec(of('wlid') ?? '');
  const workload = workloadOf(of, wlid);
  if (!workload) throw new RecordError(`the profile names no workload: it has no label ${PREFIX}workload-name`);
  const owner = {
    namespace: of('workload-namespace') ?? (isText(namespace) ? namespace : (wlid?.[1] ?? '')),
    workload,
  };
  const [from, to] = timesOf(of, creationTimestamp);
  const started = of('completion') === 'complete';
  const containers = containersOf(kind, objectOf(spec), of).map(({ name, capabilities }) => {
    const container: ObservedContainer = { ...owner, container: name };
    const watch: ContainerWatch[] = from && to ? [{ ...container, from, to, started }] : [];
    return { container, capabilities: capabilities.map(capabilityIn), watch };
  });
  return {
    uses: containers.flatMap(({ container, capabilities }) =>
      capabilities.map((capability) => ({
        ...container,
        capability,
        outcome: 'unknown' as const,
        count: 1,
        ...(to !== undefined && { last: to }),
      })),
    ),
    watches: containers.flatMap(({ watch }) => watch),
  };
}

interface ProfiledContainer {
  readonly name: string;
  readonly capabilities: readonly unknown[];
}

type About = (name: string) => string | undefined;

function containersOf(kind: unknown, spec: Fields, of: About): ProfiledContainer[] {
  if (kind === 'ApplicationProfile') {
    return CONTAINER_LISTS.flatMap((list) => arrayOf(spec[list])).map((one) => {
      const { name, capabilities } = objectOf(one);
      return { name: String(name ?? ''), capabilities: arrayOf(capabilities) };
    });
  }
  if (kind !== 'ContainerProfile') throw new RecordError(`${String(kind)} does not hold capabilities`);
  const name = of('workload-container-name') ?? INSTANCE_CONTAINER.exec(of('instance-id') ?? '')?.[1];
  if (name === undefined)
    throw new RecordError(`the profile names no container: it has no label ${PREFIX}workload-container-name`);
  return [{ name, capabilities: arrayOf(spec.capabilities) }];
}

function workloadOf(of: About, wlid: RegExpExecArray | null): ObservedWorkload | undefined {
  const [kind, name] = [of('workload-kind') ?? wlid?.[2], of('workload-name') ?? wlid?.[3]];
  return kind !== undefined && name !== undefined ? { kind, name } : undefined;
}

function timesOf(of: About, created: unknown) {
  return hull(timeIn(created), timeIn(of('report-timestamp')));
}
