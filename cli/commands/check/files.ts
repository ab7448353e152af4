/**
 * Checks manifests (`check -f`) against policies. The policies come from three sources: the manifests themselves,
 * --policy, and a cluster.
 */
import { evaluatePiece, type ResultListener } from '../../../analysis/check/evaluated-piece.ts';
import { ManifestEvaluator } from '../../../analysis/check/manifest-evaluator.ts';
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import type { PolicyContext, PolicyContextOptions } from '../../../analysis/policies/context.ts';
import type { PolicyContextBuilder } from '../../../analysis/policies/context-builder.ts';
import type { Io } from '../../command.ts';
import { openInputs } from '../../input/inputs.ts';
import { piecesOf } from '../../input/manifests.ts';
import { addContext } from '../../policies/given.ts';
import { EvaluationThreads } from './evaluation-threads.ts';

/** Receives results as they are found. */
export interface Listener extends ResultListener {
  /** The check calls `begin` once, before it reports the first item. */
  begin(context: PolicyContext): void;
}

interface CheckInput {
  readonly builder: PolicyContextBuilder;
  /**
   * Builds the policy context. `build` is called after all policies, namespaces, roles and bindings were added to the
   * builder.
   */
  readonly build: () => PolicyContext;
  /** The options that `build` uses to make the policy context. */
  readonly options: PolicyContextOptions;
  /** The namespace of objects that have no `metadata.namespace`. */
  readonly namespace: string;
}

/**
 * Checks manifests. The function reads the files twice, because a policy can come after the manifests to which the
 * policy applies.
 */
export async function checkFiles(paths: readonly string[], io: Io, listener: Listener, input: CheckInput) {
  const { trouble } = listener;
  let found = false;
  const tell = (one: Trouble) => {
    found = true;
    trouble(one);
  };
  const inputs = await openInputs(paths, io, tell);
  let threads: EvaluationThreads | undefined;
  try {
    const onLong = () => {
      if (input.builder.collected) threads = EvaluationThreads.start();
    };
    await addContext(input.builder, inputs.files, io, trouble, onLong);
    const context = input.build();
    listener.begin(context);
    const pieces = piecesOf(inputs.files, io, tell);
    if (await evaluateAll(pieces, context, listener, { ...input, threads })) found = true;
    // If the input contains no object, the check reports a problem, and does not look successful.
    if (!found) trouble({ file: paths.join(', '), message: 'no Kubernetes object in it' });
  } finally {
    await threads?.end();
    inputs.close();
  }
}

/** @returns whether the text contained an object or a problem */
async function evaluateAll(
  pieces: ReturnType<typeof piecesOf>,
  context: PolicyContext,
  listener: Listener,
  { builder, options, namespace, threads }: CheckInput & { readonly threads: EvaluationThreads | undefined },
): Promise<boolean> {
  const { collected } = builder;
  const evaluator = new ManifestEvaluator({ context, namespace });
  if (threads && collected) {
    threads.begin({ collected, options, namespace });
    return threads.evaluate(pieces, evaluator, listener);
  }
  let found = false;
  for await (const piece of pieces) {
    if (evaluatePiece(piece, evaluator, listener)) found = true;
  }
  return found;
}
