/** Defines the options of `observe`. */
import type { KubeConfigOptions } from '../../../operator/cluster/kubeconfig.ts';

export interface ObserveOptions extends KubeConfigOptions {
  /** The duration of the observation, in milliseconds. */
  readonly for?: number;
  readonly cluster?: boolean;
  readonly node?: readonly string[];
  readonly image: string;
  readonly log?: readonly string[];
  readonly namespace?: string;
  readonly output: 'json' | 'table' | 'raw';
  readonly cgroup?: string;
  readonly tracefs?: string;
  readonly bufferSize: number;
}
