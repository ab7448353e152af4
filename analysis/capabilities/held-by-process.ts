/**
 * Calculates, by the kernel's rules, which capabilities a process has when a container starts a program. The rules are
 * in capabilities(7), "Transformation of capabilities during execve()", and in linux/security/commoncap.c
 * cap_bprm_creds_from_file. The inheritable and ambient sets are empty, because container runtimes leave them empty.
 */

/** The capability sets of a process. Each set is a list of names in the order of the kernel's capability numbers. */
export interface CapabilitySets {
  /** The bounding set. Programs of the process can gain only capabilities that are in this set. */
  readonly bounding: readonly string[];
  /** The permitted set: the capabilities that the program may make effective. */
  readonly permitted: readonly string[];
  /** The effective set: the capabilities that the kernel checks. */
  readonly effective: readonly string[];
}

/** A program's file capabilities, as setcap(8) sets them: `cap_net_raw+ep`. */
export interface FileCapabilities {
  readonly permitted: readonly string[];
  /** Whether the capabilities are effective as soon as the program starts (`+ep`, not just `+p`). */
  readonly effective: boolean;
}

export interface Credentials {
  readonly root: boolean;
  readonly noNewPrivileges: boolean;
}

/**
 * The sets of the container's entrypoint. When runc changes the user, runc keeps the whole capability set until the
 * entrypoint starts. The file capabilities of the entrypoint therefore work even with no-new-privileges.
 */
export function atEntrypoint(granted: readonly string[], as: Credentials, file?: FileCapabilities): CapabilitySets {
  return execute({ bounding: granted, permitted: granted, effective: granted }, as, file);
}

/**
 * The capability sets of a program that another program, such as a shell, starts. `isExecutable` says whether the
 * kernel starts the program at all.
 */
export function execute(
  { bounding, permitted }: CapabilitySets,
  { root, noNewPrivileges }: Credentials,
  file: FileCapabilities = { permitted: [], effective: false },
): CapabilitySets {
  const gained = root ? bounding : intersection(bounding, file.permitted);
  const kept = noNewPrivileges ? intersection(gained, permitted) : gained;
  return { bounding, permitted: kept, effective: root || file.effective ? kept : [] };
}

/**
 * Whether the kernel executes the program at all. A program's file capabilities may be effective when the program
 * starts (`+ep`). If an effective file capability is missing in the bounding set, the kernel refuses to start the
 * program (EPERM). The kernel makes this check for the entrypoint and for every program that another program starts.
 */
export function isExecutable(bounding: readonly string[], { permitted, effective }: FileCapabilities): boolean {
  return !effective || permitted.every((name) => bounding.includes(name));
}

function intersection(some: readonly string[], others: readonly string[]): string[] {
  return some.filter((name) => others.includes(name));
}
