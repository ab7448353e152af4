/** Measures the CPU time that the servers of a control plane use, and their memory after a garbage collection. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api } from '../controlplane/api.ts';
import type { ControlPlane } from '../controlplane/controlplane.ts';
import { pidsOf } from './bench-cluster.ts';
import { usageOf } from './measured-process.ts';

export interface Memory {
  readonly rssMiB: number;
  /** The size of Go's heap after a garbage collection, in MiB. */
  readonly heapMiB: number;
}

const MIB = 2 ** 20;
const LOOK_MS = 2_000;
/** A server that uses less than this fraction of a core does only routine work. */
const IDLE = 0.05;
const IDLE_WITHIN_MS = 180_000;

export class ServerUsage {
  readonly #controlPlane: ControlPlane;
  readonly #api: Api;

  constructor(controlPlane: ControlPlane) {
    this.#controlPlane = controlPlane;
    this.#api = new Api(controlPlane.kubeconfig);
  }

  cpuSeconds(program: 'kube-apiserver' | 'kube-controller-manager'): number {
    return usageOf(this.#pid(program))?.cpuSeconds ?? Number.NaN;
  }

  /**
   * The memory of kube-apiserver after a garbage collection. Taking a profile of the heap starts the garbage
   * collection.
   */
  async memory(): Promise<Memory> {
    await this.#text('/debug/pprof/heap?gc=1');
    const status = readFileSync(`/proc/${this.#pid('kube-apiserver')}/status`, 'utf8');
    const rss = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
    const metrics = await this.#text('/metrics');
    const heap = Number(/^go_memstats_heap_alloc_bytes (\S+)$/m.exec(metrics)?.[1]) / MIB;
    return { rssMiB: rss, heapMiB: heap };
  }

  /** Waits until kube-controller-manager does only routine work. */
  async idle(): Promise<void> {
    for (let waited = 0; waited < IDLE_WITHIN_MS; waited += LOOK_MS) {
      const before = this.cpuSeconds('kube-controller-manager');
      await sleep(LOOK_MS);
      if (this.cpuSeconds('kube-controller-manager') - before < (IDLE * LOOK_MS) / 1000) return;
    }
  }

  async close(): Promise<void> {
    await this.#api.close();
  }

  #pid(program: string): number {
    return pidsOf(this.#controlPlane, program)[0] ?? 0;
  }

  async #text(path: string): Promise<string> {
    const { status, body } = await this.#api.ask('GET', path);
    if (status !== 200) throw new Error(`${path}: ${status}`);
    return String(body.message);
  }
}
