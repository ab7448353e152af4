/** Finds the names of containers in the configurations that container runtimes store on the node. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerGroup } from '../../../analysis/observe/cgroup-path.ts';
import { type Name, nameInConfig, nameInPath } from '../../../analysis/observe/names.ts';

/** The folders in which containerd, k3s and CRI-O have a folder for each container. */
const PLACES: readonly (readonly [folder: string, file: string])[] = [
  ['/run/containerd/io.containerd.runtime.v2.task/k8s.io', 'config.json'],
  ['/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io', 'config.json'],
  ['/run/containers/storage/overlay-containers', 'userdata/config.json'],
];

/**
 * The names of containers. A container's configuration is deleted together with the container, so the configuration is
 * read when the container starts.
 */
export class Configurations {
  readonly #names = new Map<string, Name>();

  read(group: ContainerGroup): void {
    const name = nameInPath(group) ?? configured(group);
    if (name) this.#names.set(group.id, name);
  }

  nameOf({ id }: ContainerGroup): Name | undefined {
    return this.#names.get(id);
  }
}

function configured({ id }: ContainerGroup): Name | undefined {
  for (const [folder, file] of PLACES) {
    try {
      return nameInConfig(JSON.parse(readFileSync(join(folder, id, file), 'utf8')));
    } catch {
      // Either the container no longer exists, or a different container runtime stores the container's configuration.
    }
  }
  return undefined;
}
