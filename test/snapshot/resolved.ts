/** Brings snapshots into a comparable form. */
import type { Snapshot } from '../../analysis/snapshot/document.ts';

/**
 * The snapshot without its time. Each index of a shape or violation is replaced by its value, because an index depends
 * on earlier documents.
 */
export function resolved({ shapes, violations, namespaces, taken: _, ...rest }: Snapshot) {
  return {
    ...rest,
    namespaces: namespaces.map(({ controllers, pods, verdicts, ...namespace }) => ({
      ...namespace,
      controllers: controllers.map(({ shape, ...one }) => ({ ...one, shape: shapes[shape] })),
      pods: pods.map(({ shape, ...one }) => ({ ...one, shape: shapes[shape] })),
      verdicts: verdicts.map(({ violations: broken = {}, ...one }) => ({
        ...one,
        broken: Object.entries(broken).map(([policy, list]) => [policy, list.map((index) => violations[index])]),
      })),
    })),
  };
}
