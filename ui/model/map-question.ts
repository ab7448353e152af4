/** Converts the parameters of the address to the filter and order of the map. */
import type { Runtime } from './holding.ts';
import { HOLDINGS, type MapFilter, ORDERS, type Order } from './map-rows.ts';
import { STATES } from './namespaces.ts';

export interface MapQuestion {
  readonly filter: MapFilter;
  readonly order: Order;
  readonly runtime: Runtime;
}

/** The names of the parameters that belong to the filter. */
export const FILTERS = ['text', 'capability', 'namespace', 'policy', 'held', 'state', 'verdict'] as const;
export const RUNTIMES: readonly Runtime[] = ['containerd', 'CRI-O', 'Docker'];

/** The filter and the order that the parameters contain. An unknown value in the address does not filter the map. */
export function questionOf(parameters: Readonly<Record<string, string>>): MapQuestion {
  const { text = '', capability = '', namespace = '', policy = '', verdict = '' } = parameters;
  const { held = '', state = '', sort = '', runtime = '' } = parameters;
  return {
    filter: {
      text,
      capability,
      namespace,
      policy,
      verdict,
      held: HOLDINGS.find((one) => one === held) ?? '',
      state: STATES.find((one) => one === state) ?? '',
    },
    order: ORDERS.find((one) => one === sort) ?? 'risk',
    runtime: RUNTIMES.find((one) => one === runtime) ?? 'containerd',
  };
}

export const NO_FILTER: Readonly<Record<string, string>> = Object.fromEntries(FILTERS.map((name) => [name, '']));
