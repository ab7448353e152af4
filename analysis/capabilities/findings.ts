/**
 * Gives advice on a pod's capabilities. The advice is about capability names that have no effect or an unexpected
 * effect, and about ways to need fewer capabilities. Findings are not violations, because no policy decides about them.
 */
import type { PodSpec } from '../../operator/model/objects.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { bareName, type Grant, granted, isKnown } from './held-by-runtime.ts';
import { type RequestingContainer, requests } from './held-request.ts';
import { CONTAINER_RUNTIMES, type ContainerRuntime, DOCKER, SYSCTLS_INSTEAD, upperCase } from './runtimes.ts';

/** The reasons for findings. Each reason has a text that says what the finding means for a container. */
export const FINDING_REASONS = {
  UnknownCapability: 'The container adds or drops a name that is not a capability.',
  MisleadingName:
    'The container adds or drops a name with letters outside ASCII, and container runtimes read the name as a capability.',
  IneffectiveAdd:
    'The container adds a capability, but at least one container runtime does not give the capability to the container.',
  IneffectiveDrop:
    'The container drops a capability, but still holds the capability on at least one container runtime.',
  UselessForNonRoot: 'The container adds a capability that only root can use without file capabilities.',
  HeldByRuntimeDefault:
    'The container holds capabilities that it does not add, because the container runtime gives them by default.',
  SysctlInstead: 'The container adds a capability that an allowed kernel parameter makes unnecessary.',
} as const;
export type FindingReason = keyof typeof FINDING_REASONS;

export interface Finding {
  readonly reason: FindingReason;
  readonly container: string;
  /** The message for users names the container, what is wrong, and what to write instead. */
  readonly message: string;
  /**
   * The path of the field that the finding is about. The path starts at the PodSpec:
   * `containers[0].securityContext.capabilities.add[1]`.
   */
  readonly path: string;
}

/** A container, and the capabilities that each container runtime gives to the container. */
interface Subject {
  readonly container: RequestingContainer;
  /** The names of the capabilities that the container adds, in upper case and without CAP_. */
  readonly added: ReadonlySet<string>;
  readonly grants: ReadonlyMap<ContainerRuntime, Granted>;
  readonly spec: PodSpec;
}

interface Granted extends Grant {
  readonly ignoredNames: ReadonlySet<string>;
}

type Grants = Subject['grants'];
type Remark = Pick<Finding, 'reason' | 'message' | 'path'>;

/**
 * The findings about a pod. The findings are in the order of the pod's containers, and then in the order of
 * FINDING_REASONS. The list is empty if there is no advice about the pod.
 */
export function findings(spec: PodSpec): readonly Finding[] {
  return requests(spec).flatMap((container) => {
    if (dropsAllAndAddsNothing(container)) return [];
    const added = new Set(container.add.map(bareName));
    const subject = { container, added, grants: grantsOf(container), spec };
    const remarks = REMARKS.flatMap((remark) => remark(subject));
    return remarks.map(({ reason, message, path }) => ({
      reason,
      container: container.name,
      message: `container "${container.name}" ${message}`,
      path: `${container.path}.securityContext.capabilities.${path}`,
    }));
  });
}

/**
 * Whether the container drops ALL and does nothing else with capabilities. The level restricted requires a drop of ALL,
 * so most containers have this drop and need no advice.
 */
function dropsAllAndAddsNothing({ add, drop, privileged }: RequestingContainer): boolean {
  return !privileged && add.length === 0 && drop.length > 0 && drop.every(isAll);
}

const LISTS = ['add', 'drop'] as const;
const ON_UNKNOWN = 'containerd ignores the name, and CRI-O and Docker do not start the container';
const PRIVILEGED = `, since the container is privileged and holds all ${CAPABILITIES.length} capabilities`;
const DOCKER_ADDS = ' (Docker keeps the added capability)';

const REMARKS: readonly ((subject: Subject) => Remark[])[] = [
  unknownNames,
  misleadingNames,
  ineffectiveAdds,
  ineffectiveDrops,
  uselessAdds,
  heldByDefault,
  sysctlsInstead,
];

function grantsOf(container: RequestingContainer): Map<ContainerRuntime, Granted> {
  const grants = new Map<ContainerRuntime, Granted>();
  for (const runtime of CONTAINER_RUNTIMES) {
    const grant = granted(runtime, container);
    if (!('error' in grant)) grants.set(runtime, { ...grant, ignoredNames: new Set(grant.ignored) });
  }
  return grants;
}

/** @param say returns the text that follows `adds capability NAME`, or undefined if there is no remark on the name */
function remarksOn(
  list: 'add' | 'drop',
  container: RequestingContainer,
  reason: FindingReason,
  say: (name: string, bare: string) => string | undefined,
): Remark[] {
  return distinct(container[list]).flatMap(({ name, index }) => {
    const text = say(name, bareName(name));
    const message = `${list}s capability ${name}${text}`;
    return text === undefined ? [] : [{ reason, message, path: `${list}[${index}]` }];
  });
}

function unknownNames({ container }: Subject): Remark[] {
  return LISTS.flatMap((list) =>
    remarksOn(list, container, 'UnknownCapability', (_name, bare) =>
      isKnown(bare) || bare === 'ALL' ? undefined : `, which does not exist: ${ON_UNKNOWN}`,
    ),
  );
}

function misleadingNames({ container }: Subject): Remark[] {
  return LISTS.flatMap((list) =>
    remarksOn(list, container, 'MisleadingName', (name, bare) =>
      isKnown(bare) && !/^[A-Za-z_]+$/.test(name)
        ? `, which has letters beyond ASCII and which container runtimes read as ${bare}: write ${bare}, or remove the name`
        : undefined,
    ),
  );
}

function ineffectiveAdds({ container, grants }: Subject): Remark[] {
  return remarksOn('add', container, 'IneffectiveAdd', (name, bare) => {
    const why = bare === 'ALL' ? addsNotAll(name, container) : addsNothing(name, container, grants);
    return why && ` without effect${why}`;
  });
}

function addsNotAll(name: string, container: RequestingContainer): string | undefined {
  if (!isAll(name)) return `: ${ON_UNKNOWN}; write ALL`;
  if (container.privileged) return PRIVILEGED;
  return container.drop.some(isAll)
    ? ` on containerd and CRI-O, since the container also drops it${DOCKER_ADDS}`
    : undefined;
}

function addsNothing(name: string, { privileged }: RequestingContainer, grants: Grants): string | undefined {
  if (!isKnown(bareName(name))) return undefined;
  if (privileged) return PRIVILEGED;
  const held = holds(bareName(name));
  const misreading = where(grants, ({ ignoredNames }) => ignoredNames.has(`CAP_${upperCase(name)}`));
  const dropping = where(grants, (grant) => !held(grant)).filter((runtime) => !misreading.includes(runtime));
  const onDocker = grants.get(DOCKER);
  const causes = [
    ...(misreading.length > 0 ? [` on ${listed(misreading)}, ${misread(name)}`] : []),
    ...(dropping.length > 0 ? [` on ${listed(dropping)}, since the container also drops it`] : []),
  ];
  if (causes.length === 0) return undefined;
  return causes.join(';') + (dropping.length > 0 && onDocker && held(onDocker) ? DOCKER_ADDS : '');
}

function ineffectiveDrops(subject: Subject): Remark[] {
  return remarksOn('drop', subject.container, 'IneffectiveDrop', (name) => {
    const why = dropsNothing(name, subject);
    return why && ` without effect${why}`;
  });
}

function dropsNothing(name: string, { container, added, grants }: Subject): string | undefined {
  if (container.privileged) return PRIVILEGED;
  if (bareName(name) === 'ALL') return isAll(name) ? undefined : `: ${ON_UNKNOWN}; write ALL`;
  // If the container also adds the dropped capability, the remark on the drop does not mention Docker. Docker keeps a
  // capability that is both added and dropped, and another finding reports this case.
  const held = holds(bareName(name));
  const holding = where(grants, (grant, runtime) => held(grant) && !(added.has(bareName(name)) && runtime === DOCKER));
  return holding.length === 0 ? undefined : ` on ${listed(holding)}, ${misread(name)}`;
}

function uselessAdds({ container, grants }: Subject): Remark[] {
  if (!container.nonRoot || container.privileged) return [];
  const held = new Set([...grants.values()].flatMap(({ capabilities }) => capabilities));
  const added = distinct(container.add)
    .map(({ name }) => bareName(name))
    .filter((name) => held.has(name) || (name === 'ALL' && held.size > 0));
  if (added.length === 0) return [];
  const user = container.uid === undefined ? 'another user than root' : `user ${container.uid}`;
  const whom = container.noNewPrivileges ? 'an entrypoint that has' : 'programs that have';
  const message = `runs as ${user}, so adding ${listed(added)} helps only ${whom} file capabilities`;
  return [{ reason: 'UselessForNonRoot', message, path: 'add' }];
}

function heldByDefault({ container, added, grants }: Subject): Remark[] {
  if (container.privileged || [...container.add, ...container.drop].some(isAll)) return [];
  const isGiven = (name: string) => !added.has(name) && [...grants.values()].some(holds(name));
  const given = CAPABILITIES.filter(isGiven);
  if (given.length === 0) return [];
  const uneven = where(grants, ({ capabilities }) => !given.every((name) => capabilities.includes(name)));
  const fewer = uneven.length > 0 ? ` (fewer on ${listed(uneven)})` : '';
  const message = `holds ${given.join(', ')} only because container runtimes give them${fewer}: drop ALL, and add the capabilities that the container needs`;
  return [{ reason: 'HeldByRuntimeDefault', message, path: 'drop' }];
}

function sysctlsInstead({ container, spec }: Subject): Remark[] {
  // If a pod has its own user namespace, container runtimes do not set the two sysctls of SYSCTLS_INSTEAD. In a user
  // namespace, the value of net.ipv4.ping_group_range would be an error (containerd docs/containerd-2.0.md).
  if (container.privileged || spec.hostNetwork === true || container.inUserNamespace) return [];
  return distinct(container.add).flatMap(({ name, index }) =>
    SYSCTLS_INSTEAD.filter(({ capability }) => capability === bareName(name)).map(({ purpose, sysctl, value }) => {
      const since = CONTAINER_RUNTIMES.flatMap(({ name: runtime, sysctlsInsteadSince }) =>
        sysctlsInsteadSince === undefined ? [] : [`${runtime} ${sysctlsInsteadSince}`],
      );
      const message = `adds capability ${name}: for ${purpose} it is unnecessary if the sysctl ${sysctl} is "${value}", which ${listed(since)} and newer set`;
      return { reason: 'SysctlInstead', message, path: `add[${index}]` };
    }),
  );
}

/**
 * The maximum number of capability names to read from a list. Linux has fewer than 100 capabilities, so a longer list
 * must contain unknown names.
 */
const MOST_NAMES = 100;

/**
 * The distinct capability names, each with the position of the name's first occurrence. Spellings that differ only in
 * case count as one name.
 */
function distinct(names: readonly string[]): { name: string; index: number }[] {
  const known = new Set<string>();
  const first: { name: string; index: number }[] = [];
  for (const [index, name] of names.entries()) {
    const upper = upperCase(name);
    if (known.has(upper)) continue;
    known.add(upper);
    if (first.push({ name, index }) === MOST_NAMES) break;
  }
  return first;
}

function where(grants: Grants, matches: (grant: Granted, runtime: ContainerRuntime) => boolean): string[] {
  return [...grants].filter(([runtime, grant]) => matches(grant, runtime)).map(([{ name }]) => name);
}

function holds(name: string): (grant: Grant) => boolean {
  return ({ capabilities }) => capabilities.includes(name);
}

/** Whether the name means ALL. All runtimes read ALL in the same way, and no runtime knows CAP_ALL. */
function isAll(name: string): boolean {
  return upperCase(name) === 'ALL';
}

/** containerd adds another CAP_ in front of a name that already has CAP_. */
function misread(name: string): string {
  return `which reads it as CAP_${upperCase(name)}: write ${bareName(name)}`;
}

/** The names as text for a sentence, such as `containerd, CRI-O and Docker`. */
function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
