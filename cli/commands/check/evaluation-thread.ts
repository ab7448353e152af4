/**
 * Runs a thread that evaluates documents. The thread compiles the policies once, and answers each batch with the
 * results.
 */
import { parentPort } from 'node:worker_threads';
import { evaluateBatch } from '../../../analysis/check/evaluated-piece.ts';
import { ManifestEvaluator } from '../../../analysis/check/manifest-evaluator.ts';
import type { FilePiece } from '../../../analysis/manifests/document-objects.ts';
import type { PolicyContextOptions } from '../../../analysis/policies/context.ts';
import { type Collected, PolicyContextBuilder } from '../../../analysis/policies/context-builder.ts';

/** The first message that a thread receives. */
export interface EvaluationInput {
  readonly collected: Collected;
  readonly options: PolicyContextOptions;
  readonly namespace: string;
}

let evaluator: ManifestEvaluator | undefined;

parentPort?.on('message', (message: EvaluationInput | readonly FilePiece[]) => {
  if (!isBatch(message)) evaluator = evaluatorOf(message);
  else if (evaluator) parentPort?.postMessage(evaluateBatch(message, evaluator));
});

function isBatch(message: EvaluationInput | readonly FilePiece[]): message is readonly FilePiece[] {
  return Array.isArray(message);
}

/** Builds the evaluator of a thread. Problems of the policies are ignored, because the main thread reports them. */
function evaluatorOf({ collected, options, namespace }: EvaluationInput): ManifestEvaluator {
  const context = new PolicyContextBuilder(namespace, collected).build(options, () => {});
  return new ManifestEvaluator({ context, namespace });
}
