/** Defines the properties that each view receives. */
import type { ComponentType } from 'preact';
import type { Address } from '../address.ts';
import type { ShownCluster } from '../data/clusters.ts';
import type { PageWorker } from '../worker/client.ts';

export interface ViewProps {
  /** The cluster that the address names. By default, the first cluster of the page is shown. */
  readonly cluster: ShownCluster;
  /** All clusters, for views that compare clusters. */
  readonly clusters: readonly ShownCluster[];
  /** The parameters of the address. */
  readonly parameters: Address['parameters'];
  readonly worker: PageWorker;
}

/** The properties of a view that can be shown without a cluster. */
export interface StandaloneProps extends Omit<ViewProps, 'cluster'> {
  readonly cluster: ShownCluster | undefined;
}

export interface View {
  /** The name of the view in the address. */
  readonly name: string;
  /** The title of the view in the navigation. */
  readonly title: string;
  readonly Component: ComponentType<ViewProps>;
  /** The component that shows the view without a cluster. If the view needs a cluster, the field is absent. */
  readonly Standalone?: ComponentType<StandaloneProps>;
}
