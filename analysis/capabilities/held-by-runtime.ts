/**
 * Calculates the capability sets that a container runtime passes to runc. The input is the lists of capabilities that a
 * container adds and drops. Each of the three runtimes writes the same capabilities to the bounding, effective and
 * permitted sets of the OCI configuration. The runtimes leave the inheritable and the ambient set empty.
 *
 * Each function follows the source code of its runtime. analysis/capabilities/runtimes.ts cites this source code.
 */
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { CONTAINERD, type ContainerRuntime, CRIO, DOCKER, upperCase } from './runtimes.ts';

/** The fields of a container's securityContext that affect capabilities. */
export interface CapabilityRequest {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
}

export interface Grant {
  /** The capabilities of the container, in the order of the kernel's numbers. */
  readonly capabilities: readonly string[];
  /**
   * Names that reach runc, but are not capabilities. runc 1.1 and newer ignore such names, and write a warning to the
   * log.
   */
  readonly ignored: readonly string[];
  /** The steps by which the runtime calculated the capability sets. Each step is a sentence for users. */
  readonly because: readonly string[];
}

/** The reason why the container does not start, in the runtime's words. */
interface StartError {
  readonly error: string;
}

/** Capability names as one runtime reads them, in upper case and without CAP_. */
interface Reading {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  /** Unknown names that the runtime passes on to runc. runc ignores unknown names. */
  readonly ignored?: readonly string[];
  readonly because?: readonly string[];
}

export function granted(runtime: ContainerRuntime, request: CapabilityRequest): Grant | StartError {
  const grant = GRANTS[runtime.name](request);
  // Docker also checks the capability lists of privileged containers (moby daemon/container.go validateCapabilities).
  if (!request.privileged || ('error' in grant && runtime === DOCKER)) return grant;
  const ignores = request.add.length + request.drop.length > 0 ? ', whatever the container adds and drops' : '';
  return { capabilities: CAPABILITIES, ignored: [], because: [`privileged: all ${CAPABILITIES.length}${ignores}`] };
}

const GRANTS: Readonly<Record<ContainerRuntime['name'], (request: CapabilityRequest) => Grant | StartError>> = {
  containerd: byContainerd,
  'CRI-O': byCrio,
  Docker: byDocker,
};

/**
 * The capabilities of the container on containerd. containerd puts CAP_ before each name, so CAP_NET_RAW becomes
 * CAP_CAP_NET_RAW. containerd applies the drops after the adds.
 */
function byContainerd({ add, drop }: CapabilityRequest): Grant {
  const adds = distinct(add.map(upperCase));
  const drops = distinct(drop.map(upperCase));
  const unknown = (names: readonly string[]) => names.filter((name) => !isKnown(name) && name !== 'ALL');
  return dropsLast(CONTAINERD, {
    add: adds,
    drop: drops,
    ignored: unknown(adds).map(prefixed),
    because: [
      ...unknown(adds).map((name) => `reads the added ${name} as ${prefixed(name)}, which is not a capability`),
      ...unknown(drops).map((name) => `reads the dropped ${name} as ${prefixed(name)}, which is not a capability`),
    ],
  });
}

/**
 * The capabilities of the container on CRI-O. CRI-O accepts names with and without CAP_, and fails on unknown names.
 * CRI-O applies the drops after the adds.
 */
function byCrio({ add, drop }: CapabilityRequest): Grant | StartError {
  const asCrioWrites = (name: string) => (/^cap_/i.test(name) ? name : prefixed(upperCase(name)));
  const unknown = (names: readonly string[]) =>
    names.find((name) => upperCase(name) !== 'ALL' && !isKnown(bareName(name)));
  const unknownAdd = unknown(add);
  if (unknownAdd !== undefined) return { error: `unknown capability "${asCrioWrites(unknownAdd)}" to add` };
  const unknownDrop = unknown(drop);
  if (unknownDrop !== undefined) {
    const name = asCrioWrites(unknownDrop);
    return { error: `failed to drop cap ${name} invalid capability: ${upperCase(name)}` };
  }
  return dropsLast(CRIO, { add: add.map(bareName), drop: drop.map(bareName) });
}

/**
 * The capabilities of the container on Docker. Docker reads names like CRI-O. If a container both adds and drops a
 * capability, Docker keeps the capability. If the container adds ALL, Docker applies the drops last.
 */
function byDocker({ add, drop }: CapabilityRequest): Grant | StartError {
  const unknown = [...add, ...drop].find((name) => upperCase(name) !== 'ALL' && !isKnown(bareName(name)));
  if (unknown !== undefined) return { error: `unknown capability: ${prefixed(bareName(unknown))}` };
  const adds = distinct(add.map(bareName));
  const drops = distinct(drop.map(bareName));
  if (adds.includes('ALL')) {
    const noEffect = drops.includes('ALL') ? ['ignores the drop of ALL, since ALL is also added'] : [];
    return dropsLast(DOCKER, { add: ['ALL'], drop: drops.filter((name) => name !== 'ALL'), because: noEffect });
  }
  const { start, because } = startOf(DOCKER, adds, drops);
  const both = adds.filter((name) => drops.includes(name));
  return {
    capabilities: inOrder([...start.filter((name) => !drops.includes(name)), ...adds]),
    ignored: [],
    because: [
      because,
      ...told(
        'drops',
        drops.filter((name) => start.includes(name) && !both.includes(name)),
      ),
      ...told('adds', adds),
      ...both.map((name) => `${name} is added and dropped, and this runtime keeps it`),
    ],
  };
}

function dropsLast(runtime: ContainerRuntime, { add, drop, ignored = [], because = [] }: Reading): Grant {
  const { start, because: first } = startOf(runtime, add, drop);
  const adds = distinct(add.filter(isKnown));
  const drops = distinct(drop.filter(isKnown));
  const both = adds.filter((name) => drops.includes(name));
  return {
    capabilities: inOrder([...start, ...adds].filter((name) => !drops.includes(name))),
    ignored,
    because: [
      first,
      ...told(
        'adds',
        adds.filter((name) => !both.includes(name)),
      ),
      ...told(
        'drops',
        drops.filter((name) => start.includes(name) && !both.includes(name)),
      ),
      ...both.map((name) => `${name} is added and dropped, and this runtime drops it`),
      ...because,
    ],
  };
}

function startOf({ byDefault }: ContainerRuntime, add: readonly string[], drop: readonly string[]) {
  if (drop.includes('ALL')) return { start: [], because: 'starts without capabilities, since ALL is dropped' };
  const all = `starts with all ${CAPABILITIES.length} capabilities, since ALL is added`;
  if (add.includes('ALL')) return { start: CAPABILITIES, because: all };
  return {
    start: byDefault,
    because: `starts with its ${byDefault.length} default capabilities: ${byDefault.join(', ')}`,
  };
}

function told(verb: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${verb} ${names.join(', ')}`];
}

function inOrder(names: readonly string[]): string[] {
  const some = new Set(names);
  return CAPABILITIES.filter((name) => some.has(name));
}

const KNOWN: ReadonlySet<string> = new Set(CAPABILITIES);

/** @param name a capability name in upper case, without CAP_ */
export function isKnown(name: string): boolean {
  return KNOWN.has(name);
}

/** The distinct names, in the order of their first occurrence. */
function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}

function prefixed(name: string): string {
  return `CAP_${name}`;
}

/** The name in upper case, without CAP_. For example, `cap_net_raw` becomes `NET_RAW`. */
export function bareName(name: string): string {
  return upperCase(name).replace(/^CAP_/, '');
}
