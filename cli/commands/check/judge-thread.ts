/** A thread that judges documents: it compiles the policies once, and answers each batch with the results. */
import { parentPort } from 'node:worker_threads';
import { ManifestJudge } from '../../../analysis/check/judge.ts';
import { judgeBatch } from '../../../analysis/check/judged-piece.ts';
import type { FilePiece } from '../../../analysis/manifests/document-objects.ts';
import type { PolicyContextOptions } from '../../../analysis/policies/context.ts';
import { type Collected, PolicyContextBuilder } from '../../../analysis/policies/context-builder.ts';

/** The first message. */
export interface JudgeInput {
  readonly collected: Collected;
  readonly options: PolicyContextOptions;
  readonly namespace: string;
}

let judge: ManifestJudge | undefined;

parentPort?.on('message', (message: JudgeInput | readonly FilePiece[]) => {
  if (!isBatch(message)) judge = judgeOf(message);
  else if (judge) parentPort?.postMessage(judgeBatch(message, judge));
});

function isBatch(message: JudgeInput | readonly FilePiece[]): message is readonly FilePiece[] {
  return Array.isArray(message);
}

/** The main thread reports what is wrong with the policies. */
function judgeOf({ collected, options, namespace }: JudgeInput): ManifestJudge {
  const context = new PolicyContextBuilder(namespace, collected).build(options, () => {});
  return new ManifestJudge({ context, namespace });
}
