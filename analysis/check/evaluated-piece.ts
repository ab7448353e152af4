/**
 * Evaluates one document, on the main thread or on another thread. If another thread evaluates the document, that
 * thread sends its results to the main thread.
 */
import { type FilePiece, type InputObject, manifestsOfPiece, troubleOf } from '../manifests/document-objects.ts';
import type { Trouble } from '../manifests/trouble.ts';
import type { ManifestEvaluator } from './manifest-evaluator.ts';
import type { CheckedItem, NotEvaluated } from './result.ts';

/** Receives results as they are found. */
export interface ResultListener {
  item(item: CheckedItem): void;
  /** Called for an object that makes no pods. */
  skipped(): void;
  /** Called for an object that may make pods, if no pod of the object can be evaluated. */
  notEvaluated(object: Pick<NotEvaluated, 'kind' | 'makesPods'>): void;
  /** Called for a document in a folder if the document is not a Kubernetes object. */
  notKubernetes(what: string): void;
  trouble(trouble: Trouble): void;
}

/** @returns whether the document contained an object or a problem */
export function evaluatePiece(piece: FilePiece, evaluator: ManifestEvaluator, listener: ResultListener): boolean {
  let found = false;
  const tell = (trouble: Trouble) => {
    found = true;
    listener.trouble(trouble);
  };
  for (const manifest of manifestsOfPiece(piece, { tell, skip: (what) => listener.notKubernetes(what) })) {
    found = true;
    evaluateManifest(manifest, evaluator, listener);
  }
  return found;
}

export function evaluateManifest(manifest: InputObject, evaluator: ManifestEvaluator, listener: ResultListener): void {
  const { items, problems, warnings, skipped, notEvaluated } = evaluator.evaluate(manifest);
  for (const problem of problems) listener.trouble(troubleOf(manifest, problem));
  for (const problem of warnings) listener.trouble({ ...troubleOf(manifest, problem), severity: 'warning' });
  for (const item of items) listener.item(item);
  if (skipped) listener.skipped();
  if (notEvaluated) listener.notEvaluated(notEvaluated);
}

/** The results of several documents. */
export interface EvaluatedBatch {
  readonly calls: readonly ResultCall[];
  /** Whether one of the documents contained an object or a problem. */
  readonly found: boolean;
}

export function evaluateBatch(batch: readonly FilePiece[], evaluator: ManifestEvaluator): EvaluatedBatch {
  const calls: ResultCall[] = [];
  const listener = recordedCalls(calls);
  let found = false;
  for (const piece of batch) {
    if (evaluatePiece(piece, evaluator, listener)) found = true;
  }
  return { calls, found };
}

/** A recorded call of a listener's method, in the form that is sent to the main thread. */
export type ResultCall = {
  [Name in keyof ResultListener]: [Name, ...Parameters<ResultListener[Name]>];
}[keyof ResultListener];

/** A listener that records its calls. Another thread can repeat the recorded calls. */
export function recordedCalls(calls: ResultCall[]): ResultListener {
  return {
    item: (item) => calls.push(['item', item]),
    skipped: () => calls.push(['skipped']),
    notEvaluated: (object) => calls.push(['notEvaluated', object]),
    notKubernetes: (what) => calls.push(['notKubernetes', what]),
    trouble: (trouble) => calls.push(['trouble', trouble]),
  };
}

export function repeatCalls(calls: readonly ResultCall[], listener: ResultListener): void {
  for (const [name, value] of calls) (listener[name] as (value: unknown) => void)(value);
}
