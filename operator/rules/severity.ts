/** Ranks violated rules: the more access to the node a rule prevents, the worse its violation. */

/** The rules' ids. Rules on one line give the same access. */
const WORST_FIRST: readonly (readonly string[])[] = [
  // Full access to the node.
  ['privileged', 'hostProcess'],
  ['hostPaths', 'volumes', 'hostPID'],
  // Access to a named part of the node's kernel.
  ['capabilities', 'capabilities.allowedBounding'],
  ['hostNetwork', 'hostIPC'],
  ['procMount', 'seLinux', 'appArmor', 'seccomp', 'sysctls'],
  ['flexVolumeDrivers', 'csiDrivers', 'runtimeClasses', 'hostPorts', 'hostProbes'],
  // Privileges of a process inside its container.
  ['allowPrivilegeEscalation', 'defaultAllowPrivilegeEscalation', 'runAsNonRoot', 'runAsUser'],
  ['runAsGroup', 'supplementalGroups', 'supplementalGroups.policy', 'fsGroup', 'readOnlyRootFilesystem'],
];

const RANKS = new Map(WORST_FIRST.flatMap((ids, rank) => ids.map((id) => [id, rank] as const)));

/** The rank, ascending from the worst. Ids that are not rules about pods, such as the right to use a policy, come last. */
export function severityRank(rule: string): number {
  return RANKS.get(rule) ?? WORST_FIRST.length;
}

/** The ids that have a rank. */
export const RANKED: readonly string[] = [...RANKS.keys()];
