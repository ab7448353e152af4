/**
 * The control group that holds all pods of a node. The group is made before kubelet starts, and removed after the node
 * has ended.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = '/sys/fs/cgroup';
/** The cgroup controllers without which the kubelet does not start (pkg/kubelet/cm/cgroup_manager_linux.go). */
const REQUIRED = ['cpu', 'cpuset', 'memory', 'pids'];
/**
 * The time in ms to wait for the end of processes. A killed process remains in its control group until the kernel has
 * removed the process.
 */
const REMOVAL_MS = 30_000;

/**
 * The reason why the control groups of this machine cannot hold pods. The result is undefined if the control groups can
 * hold pods.
 */
export function problemWithCgroups(): string | undefined {
  const available = isUnified() ? controllersIn(ROOT) : readdirSync(ROOT);
  const missing = REQUIRED.filter((controller) => !available.includes(controller));
  return missing.length === 0 ? undefined : `there is no cgroup controller ${missing.join(', ')} in ${ROOT}`;
}

/**
 * The folders that belong to the control group with the given name. The group need not exist. cgroup v1 has one folder
 * for each controller.
 */
export function foldersOfCgroup(name: string): string[] {
  return (isUnified() ? [ROOT] : hierarchies()).map((hierarchy) => join(hierarchy, name));
}

/** Makes a control group. The kubelet calls this group `/name` (cgroupRoot). */
export function createCgroup(name: string): void {
  if (isUnified()) enableControllers();
  for (const folder of foldersOfCgroup(name)) {
    mkdirSync(folder);
    if (!isUnified()) fillCpuset(folder);
  }
}

/**
 * Removes all groups below a group, and then the group itself. Each removal waits until the group contains no process.
 */
export async function removeCgroup(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeCgroup(join(folder, entry.name));
  }
  for (const deadline = Date.now() + REMOVAL_MS; ; await sleep(100)) {
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || Date.now() > deadline) throw error;
    }
  }
}

/**
 * Whether the machine uses only cgroup v2. If a machine uses both cgroup v1 and cgroup v2, the controllers are in v1.
 */
function isUnified(): boolean {
  return existsSync(join(ROOT, 'cgroup.controllers'));
}

function controllersIn(folder: string, file = 'cgroup.controllers'): string[] {
  return readFileSync(join(folder, file), 'utf8').trim().split(' ');
}

/**
 * Enables the controllers for the groups below the root. On some machines, systemd has already enabled the controllers.
 */
function enableControllers(): void {
  const enabled = controllersIn(ROOT, 'cgroup.subtree_control');
  const missing = REQUIRED.filter((controller) => !enabled.includes(controller));
  writeFileSync(join(ROOT, 'cgroup.subtree_control'), missing.map((controller) => `+${controller}`).join(' '));
}

/** The folders of cgroup v1. Each controller has a folder. Some folders belong to no controller. */
function hierarchies(): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts
    .map((line) => line.split(' '))
    .filter(([, folder = '', type = '']) => folder.startsWith(`${ROOT}/`) && type.startsWith('cgroup'))
    .map(([, folder = '']) => folder);
}

/** Fills a new cpuset. A new cpuset is empty, and refuses processes until it has processors and memory nodes. */
function fillCpuset(folder: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (existsSync(join(folder, file))) writeFileSync(join(folder, file), readFileSync(join(dirname(folder), file)));
  }
}
