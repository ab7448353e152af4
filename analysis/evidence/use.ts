/**
 * The capabilities that processes used: the kernel's checks by container, and for how long the container was watched.
 * Each tool's output is read into these records; `cappol observe` writes them, one a line.
 */

/** Unknown: the tool does not say it. */
export const CHECK_OUTCOMES = ['granted', 'refused', 'unknown'] as const;
export type CheckOutcome = (typeof CHECK_OUTCOMES)[number];

/** Why a check does not show that the workload needs the capability, for people. */
export const NOISE = {
  RuntimeSetup: "the container runtime's own set-up, before it executes the container's first program",
  NonAudit: 'the kernel asks without audit: a process that does not hold the capability goes on, with a lesser result',
  MemoryOvercommit:
    'the kernel asks whenever a process allocates memory: the answer decides only about the last reserve',
  MountersCredentials: 'overlayfs asks a second time, for the process that mounted the image and not for the workload',
  OwnUserNamespace: 'a process asks in a user namespace that it made itself, where it holds every capability',
  Capset:
    'the kernel asks whenever a process sets its capabilities: the answer matters only for adding inheritable ones',
  SetIdBits:
    'the kernel asks for FSETID when a file is written or its mode is set: without it, the call clears set-user-ID and set-group-ID bits and succeeds',
  OtherCapability: 'the kernel accepts one of several capabilities here, and the process holds another one of them',
} as const;
export type Noise = keyof typeof NOISE;

/** A container of a pod. */
export interface ObservedContainer {
  readonly namespace: string;
  /** Absent when the tool names only the workload. */
  readonly pod?: string;
  readonly container: string;
  /** The workload that owns the pod, where the tool names it. */
  readonly workload?: ObservedWorkload;
  /** The labels of the pod, where the tool has them. */
  readonly podLabels?: Readonly<Record<string, string>>;
}

export interface ObservedWorkload {
  /** `Deployment`, or `ReplicaSet` where the tool names only the direct owner. */
  readonly kind: string;
  readonly name: string;
}

/** Checks of one capability in one container, with the same outcome and the same noise. */
export interface CapabilityUse extends ObservedContainer {
  /** The kernel's name without CAP_. */
  readonly capability: string;
  readonly outcome: CheckOutcome;
  /** Absent for the workload's own checks. */
  readonly noise?: Noise;
  readonly count: number;
  /** The first and the last check, in the form of `Date.toISOString()`; absent when the tool has no times. */
  readonly first?: string;
  readonly last?: string;
  /** The process that asked in one of these checks. */
  readonly example?: UseExample;
}

export interface UseExample {
  /** The process's name (`comm`), which the kernel cuts to 15 bytes. */
  readonly command: string;
  /** The system call, or the kernel's function that asked: `sys_chroot`. */
  readonly callSite?: string;
}

/** A time in which one instance of a container was watched, even if it used nothing. */
export interface ContainerWatch extends ObservedContainer {
  /** The container's ID at its runtime: another one after each restart. Absent when the tool does not say it. */
  readonly instance?: string;
  /** In the form of `Date.toISOString()`. */
  readonly from: string;
  readonly to: string;
  /** Whether the watch began before the container's first program: otherwise what it uses at its start is missing. */
  readonly started: boolean;
  /** Checks that the tool lost meanwhile; a use may be missing. */
  readonly lost?: number;
}

export interface Evidence {
  readonly uses: readonly CapabilityUse[];
  readonly watches: readonly ContainerWatch[];
}

/** A line of `cappol observe`. */
export type ObservedLine =
  | ({ readonly observed: 'use' } & CapabilityUse)
  | ({ readonly observed: 'watch' } & ContainerWatch);

/** The lines that say the same as the evidence, in its order: JSON objects with the members in a stable order. */
export function observedLines({ uses, watches }: Evidence): ObservedLine[] {
  return [
    ...watches.map((watch) => ({ observed: 'watch' as const, ...watch })),
    ...uses.map((use) => ({ observed: 'use' as const, ...use })),
  ];
}
