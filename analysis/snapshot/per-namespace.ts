/** Caches results about the namespaces of snapshot documents. */
import type { SnapshotNamespace } from './document.ts';

interface Known<OfShape, Result> {
  /** The shapes of the namespace's controllers and pods, in their order. */
  readonly shapes: readonly (OfShape | undefined)[];
  readonly result: Result;
}

/**
 * Caches a result for each namespace, as long as the namespace's object exists and its indexes lead to the same shapes.
 * The object must not change. In another document, the same index may be another shape.
 *
 * @param make makes the result; its second argument has all shapes of the document, or a result about each shape
 */
export function perNamespace<OfShape, Result>(
  make: (namespace: SnapshotNamespace, shapes: readonly OfShape[]) => Result,
): (namespace: SnapshotNamespace, shapes: readonly OfShape[]) => Result {
  const known = new WeakMap<SnapshotNamespace, Known<OfShape, Result>>();
  return (namespace, all) => {
    const shapes = [...namespace.controllers, ...namespace.pods].map(({ shape }) => all[shape]);
    const before = known.get(namespace);
    if (before && shapes.every((shape, index) => shape === before.shapes[index])) return before.result;
    const result = make(namespace, all);
    known.set(namespace, { shapes, result });
    return result;
  };
}
