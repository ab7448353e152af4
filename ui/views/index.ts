/** The views, in the order of the navigation. The first one is shown at the start. */
import { Overview } from './overview/overview.tsx';
import type { View } from './view.ts';

export const VIEWS: readonly View[] = [{ name: 'overview', title: 'Overview', Component: Overview }];
