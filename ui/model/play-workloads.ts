/** Lists the distinct pods of a snapshot. The entry of a pod names one workload that has the pod. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';

export interface ShapeOfWorkload {
  readonly shape: number;
  readonly namespace: string;
  readonly name: string;
  /** The text of the menu entry, such as `shop/web (Deployment) and 12 more`. */
  readonly title: string;
}

/** The maximum number of entries in the menu. A longer menu would not help users. */
const MOST = 500;

export function workloadsByShape({ namespaces }: Pick<Snapshot, 'namespaces'>): ShapeOfWorkload[] {
  const first = new Map<number, Omit<ShapeOfWorkload, 'title'> & { readonly kind: string; count: number }>();
  for (const { name: namespace, controllers, pods } of namespaces) {
    const templates = controllers.filter(({ owner, finished }) => !owner && !finished);
    const bare = pods.filter(({ owner, mirror }) => !owner && !mirror).map((pod) => ({ kind: 'Pod', ...pod }));
    for (const { kind, name, shape } of [...templates, ...bare]) {
      const known = first.get(shape);
      if (known) known.count += 1;
      else if (first.size < MOST) first.set(shape, { shape, namespace, name, kind, count: 1 });
    }
  }
  return [...first.values()].map(({ kind, count, ...rest }) => ({
    ...rest,
    title: `${rest.namespace}/${rest.name} (${kind})${count > 1 ? ` and ${count - 1} more` : ''}`,
  }));
}
