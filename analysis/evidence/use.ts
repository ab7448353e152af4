/**
 * Defines records of the capabilities that processes used. For each container, the records contain the kernel's
 * capability checks, and how long the container was watched. The output of every tool is converted into these records.
 * `cappol observe` writes each record as one line of JSON.
 */

/** The outcomes of a capability check. `unknown` means that the tool does not report the outcome. */
export const CHECK_OUTCOMES = ['granted', 'refused', 'unknown'] as const;
export type CheckOutcome = (typeof CHECK_OUTCOMES)[number];

/**
 * The reasons why a check can be noise. The text of each reason explains to users why the check does not show a need
 * for the capability.
 */
export const NOISE = {
  RuntimeSetup:
    "the check is part of the container runtime's own set-up, before the runtime executes the container's first program",
  NonAudit:
    'the kernel makes this check without audit, and a process that lacks the capability continues with a lesser result',
  MemoryOvercommit:
    'the kernel makes this check whenever a process allocates memory, and the result affects only the last reserve of memory',
  MountersCredentials:
    'overlayfs makes a second check, for the process that mounted the image and not for the workload',
  OwnUserNamespace: 'the process itself created the user namespace of the check, and holds every capability there',
  Capset:
    'the kernel makes this check whenever a process sets its capabilities, and the result affects only added inheritable capabilities',
  SetIdBits:
    'the kernel checks FSETID when a process writes a file or sets its mode; without FSETID, the call succeeds, but clears set-user-ID and set-group-ID bits',
  OtherCapability:
    'the kernel accepts any one of several capabilities here, and the process holds another accepted capability',
} as const;
export type Noise = keyof typeof NOISE;

/** A container of a pod. */
export interface ObservedContainer {
  readonly namespace: string;
  /** The name of the pod; absent if the tool reports only the workload. */
  readonly pod?: string;
  readonly container: string;
  /** The workload that owns the pod; absent if the tool does not report it. */
  readonly workload?: ObservedWorkload;
  /** The labels of the pod; absent if the tool does not report them. */
  readonly podLabels?: Readonly<Record<string, string>>;
}

export interface ObservedWorkload {
  /**
   * The kind of the workload, such as `Deployment`. The kind is `ReplicaSet` if the tool reports only the direct owner.
   */
  readonly kind: string;
  readonly name: string;
}

/** Checks of one capability in one container. The checks have the same outcome and the same noise. */
export interface CapabilityUse extends ObservedContainer {
  /** The kernel's name of the capability, without the prefix CAP_. */
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
  /** The name of the process (`comm`). The kernel cuts the process name to 15 bytes. */
  readonly command: string;
  /** The system call or kernel function that made the check, such as `sys_chroot`. */
  readonly callSite?: string;
}

/**
 * A period in which one instance of a container was watched. The record exists even if the container used no
 * capability.
 */
export interface ContainerWatch extends ObservedContainer {
  /**
   * The container's ID at its runtime. Each restart changes the ID. The ID is absent if the tool does not report it.
   */
  readonly instance?: string;
  /** The time at which the watch began, in the form of `Date.toISOString()`. */
  readonly from: string;
  readonly to: string;
  /**
   * Whether the watch began before the container's first program. If the watch began after the container's first
   * program, uses at the container's start are missing.
   */
  readonly started: boolean;
  /**
   * The number of checks that the tool lost during the watch. If checks were lost, the evidence may miss a use of a
   * capability.
   */
  readonly lost?: number;
}

export interface Evidence {
  readonly uses: readonly CapabilityUse[];
  readonly watches: readonly ContainerWatch[];
}

/** A line that `cappol observe` prints. */
export type ObservedLine =
  | ({ readonly observed: 'use' } & CapabilityUse)
  | ({ readonly observed: 'watch' } & ContainerWatch);

/**
 * The lines that `cappol observe` prints for the evidence. Each line is a JSON object whose members have a stable
 * order.
 */
export function observedLines({ uses, watches }: Evidence): ObservedLine[] {
  return [
    ...watches.map((watch) => ({ observed: 'watch' as const, ...watch })),
    ...uses.map((use) => ({ observed: 'use' as const, ...use })),
  ];
}
