/**
 * The capabilities that the containers of a pod end up with, and the reasons. The capabilities are listed for each
 * container runtime, both for root and for a user other than root.
 */
import type { PodSpec } from '../../operator/model/objects.ts';
import { atEntrypoint, type CapabilitySets, type Credentials, execute } from './held-by-process.ts';
import { type CapabilityRequest, granted } from './held-by-runtime.ts';
import { type RequestingContainer, requests } from './held-request.ts';
import { CONTAINER_RUNTIMES, type ContainerRuntime } from './runtimes.ts';

export interface ContainerHoldings extends RequestingContainer {
  readonly runtimes: readonly RuntimeHoldings[];
}

export interface RuntimeHoldings {
  readonly runtime: ContainerRuntime['name'];
  /** The reason why the container does not start. A container that does not start holds no capabilities. */
  readonly error?: string;
  /** The steps in which the runtime calculated the bounding set. */
  readonly because: readonly string[];
  /** The capabilities for root and for another user, each without and with no-new-privileges. */
  readonly holdings: readonly Holding[];
}

/** The capabilities of the container's processes, for one way to run the container. */
export interface Holding extends Credentials, CapabilitySets {
  /** The capabilities of a program whose file capabilities include the whole bounding set. */
  readonly fileCapabilities: {
    /** The capabilities if the program is the container's entrypoint. */
    readonly entrypoint: readonly string[];
    /** The capabilities that the program holds if another program, such as a shell, starts it. */
    readonly below: readonly string[];
  };
}

/** The four ways to run a container: as root or as another user, each without and with no-new-privileges. */
const WAYS: readonly Credentials[] = [
  { root: true, noNewPrivileges: false },
  { root: true, noNewPrivileges: true },
  { root: false, noNewPrivileges: false },
  { root: false, noNewPrivileges: true },
];

/**
 * The capabilities that the containers hold. The list has the order in which violations name containers. The list is
 * empty for a pod for Windows nodes.
 */
export function holdings(spec: PodSpec): ContainerHoldings[] {
  return requests(spec).map((request) => ({
    ...request,
    runtimes: CONTAINER_RUNTIMES.map((runtime) => onRuntime(runtime, request)),
  }));
}

function onRuntime(runtime: ContainerRuntime, request: CapabilityRequest): RuntimeHoldings {
  const grant = granted(runtime, request);
  if ('error' in grant) return { runtime: runtime.name, error: grant.error, because: [], holdings: [] };
  const { capabilities, because } = grant;
  return { runtime: runtime.name, because, holdings: WAYS.map((way) => holding(capabilities, way)) };
}

function holding(capabilities: readonly string[], way: Credentials): Holding {
  const file = { permitted: capabilities, effective: true };
  const entrypoint = atEntrypoint(capabilities, way);
  return {
    ...way,
    ...entrypoint,
    fileCapabilities: {
      entrypoint: atEntrypoint(capabilities, way, file).permitted,
      below: execute(entrypoint, way, file).permitted,
    },
  };
}
