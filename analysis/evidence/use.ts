/**
 * The capabilities that processes used: the kernel's checks by container, and for how long the container was watched.
 * The output of each tool is converted into the records that this file defines. `cappol observe` writes each record as
 * one line of JSON.
 */

/** The outcomes of a check. `unknown` means that the tool does not report the outcome. */
export const CHECK_OUTCOMES = ['granted', 'refused', 'unknown'] as const;
export type CheckOutcome = (typeof CHECK_OUTCOMES)[number];

/** The reasons why a check does not show that the workload needs the capability, for people. */
export const NOISE = {
  RuntimeSetup: "the container runtime's own set-up, before it executes the container's first program",
  NonAudit:
    'the kernel makes this check without audit, and a process without the capability continues with a lesser result',
  MemoryOvercommit:
    'the kernel makes this check whenever a process allocates memory, and the result affects only the last reserve of memory',
  MountersCredentials:
    'overlayfs makes a second check, for the process that mounted the image and not for the workload',
  OwnUserNamespace: 'the check is in a user namespace that the process made itself and where it holds every capability',
  Capset:
    'the kernel makes this check whenever a process sets its capabilities, and the result affects only added inheritable capabilities',
  SetIdBits:
    'the kernel checks FSETID when a file is written or its mode is set, and without FSETID the call clears set-user-ID and set-group-ID bits and succeeds',
  OtherCapability:
    'the kernel accepts any one of several capabilities here, and the process holds another accepted capability',
} as const;
export type Noise = keyof typeof NOISE;

/** A container of a pod. */
export interface ObservedContainer {
  readonly namespace: string;
  /** The name of the pod; absent if the tool names only the workload. */
  readonly pod?: string;
  readonly container: string;
  /** The workload that owns the pod, if the tool names it. */
  readonly workload?: ObservedWorkload;
  /** The labels of the pod, if the tool has them. */
  readonly podLabels?: Readonly<Record<string, string>>;
}

export interface ObservedWorkload {
  /** The kind of the workload: `Deployment`, or `ReplicaSet` if the tool names only the direct owner. */
  readonly kind: string;
  readonly name: string;
}

/** Checks of one capability in one container, with the same outcome and the same noise. */
export interface CapabilityUse extends ObservedContainer {
  /** The kernel's name of the capability, without CAP_. */
  readonly capability: string;
  readonly outcome: CheckOutcome;
  /** The reason why the checks are noise; absent for checks that show the workload's own need. */
  readonly noise?: Noise;
  readonly count: number;
  /**
   * The times of the first and the last check, in the form of `Date.toISOString()`; absent if the tool has no times.
   */
  readonly first?: string;
  readonly last?: string;
  /** An example of a process that caused one of the checks. */
  readonly example?: UseExample;
}

export interface UseExample {
  /** The process's name (`comm`), which the kernel cuts to 15 bytes. */
  readonly command: string;
  /** The system call or the kernel's function that made the check: `sys_chroot`. */
  readonly callSite?: string;
}

/** A period in which one instance of a container was watched, even if it used no capability. */
export interface ContainerWatch extends ObservedContainer {
  /**
   * The container's ID at its runtime, which changes with each restart. The ID is absent if the tool does not report
   * it.
   */
  readonly instance?: string;
  /** The time at which the watch began, in the form of `Date.toISOString()`. */
  readonly from: string;
  readonly to: string;
  /**
   * Whether the watch began before the container's first program. If the watch began later, uses at the container's
   * start are missing.
   */
  readonly started: boolean;
  /**
   * The number of checks that the tool lost during the watch. If the tool lost checks, a use of a capability may be
   * missing.
   */
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

/** The lines that `cappol observe` prints for the evidence: JSON objects whose members have a stable order. */
export function observedLines({ uses, watches }: Evidence): ObservedLine[] {
  return [
    ...watches.map((watch) => ({ observed: 'watch' as const, ...watch })),
    ...uses.map((use) => ({ observed: 'use' as const, ...use })),
  ];
}
