import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { kubernetesVersion } from '../controlplane/binaries.ts';

interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly kubernetes: string;
  /** The load average of the minute before the bench. Other work on the machine causes this load. */
  readonly load: number;
}

export function thisMachine(): Machine {
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    kubernetes: kubernetesVersion(),
    load: Number(loadavg()[0]?.toFixed(1)),
  };
}

export function describeMachine({ cores, processor, memoryGiB, system, node, kubernetes, load }: Machine): string {
  return `${cores} cores (${processor}), ${memoryGiB} GiB, ${system}, Node ${node}, Kubernetes ${kubernetes}; load before: ${load}`;
}
