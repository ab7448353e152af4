/** The properties that each view receives. */
import type { ComponentType } from 'preact';
import type { Address } from '../address.ts';
import type { ShownCluster } from '../data/clusters.ts';
import type { PageWorker } from '../worker/client.ts';

export interface ViewProps {
  /** The cluster that the address names, or the first one. */
  readonly cluster: ShownCluster;
  /** All of them, for views that compare. */
  readonly clusters: readonly ShownCluster[];
  /** The parameters of the address. */
  readonly parameters: Address['parameters'];
  readonly worker: PageWorker;
}

/** A view that has something to show without a cluster, too. */
export interface StandaloneProps extends Omit<ViewProps, 'cluster'> {
  readonly cluster: ShownCluster | undefined;
}

export interface View {
  /** In the address. */
  readonly name: string;
  /** In the navigation. */
  readonly title: string;
  readonly Component: ComponentType<ViewProps>;
  /** The view without a cluster; left out if it has nothing to show then. */
  readonly Standalone?: ComponentType<StandaloneProps>;
}
