/** Caches results about the namespaces of snapshot documents. */
import type { SnapshotNamespace } from './document.ts';

interface Known<OfShape, Result> {
  /** The shapes of the namespace's controllers and pods, in their order. */
  readonly shapes: readonly (OfShape | undefined)[];
  readonly result: Result;
}

/**
 * Caches a result for each namespace object. A result is valid as long as the object's indexes refer to the same
 * shapes. The namespace object must not change. In another document, the same index may refer to another shape.
 *
 * @param make makes the result. The second argument of `make` is a list of all shapes of the document, or a list with
 * one result for each shape
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
