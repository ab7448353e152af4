/** Lists the views in the order of the navigation. The first view is shown at the start. */
import { Capabilities } from './capabilities/capabilities.tsx';
import { Overview } from './overview/overview.tsx';
import { Playground } from './playground/playground.tsx';
import { Policies } from './policies/policies.tsx';
import type { View } from './view.ts';
import { Violations } from './violations/violations.tsx';

export const VIEWS: readonly View[] = [
  { name: 'overview', title: 'Overview', Component: Overview },
  { name: 'capabilities', title: 'Capabilities', Component: Capabilities },
  { name: 'policies', title: 'Policies', Component: Policies },
  { name: 'violations', title: 'Violations', Component: Violations },
  { name: 'playground', title: 'Playground', Component: Playground, Standalone: Playground },
];
