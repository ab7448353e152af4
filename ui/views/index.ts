/** The views, in the order of the navigation. The first one is shown at the start. */
import { Capabilities } from './capabilities/capabilities.tsx';
import { Overview } from './overview/overview.tsx';
import type { View } from './view.ts';

export const VIEWS: readonly View[] = [
  { name: 'overview', title: 'Overview', Component: Overview },
  { name: 'capabilities', title: 'Capabilities', Component: Capabilities },
];
