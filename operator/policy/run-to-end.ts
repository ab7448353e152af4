/**
 * Runs work that can be interrupted. Interruptible work is a generator. The generator yields wherever other work may
 * run. At the end, the generator returns the result.
 */

/** Runs the work without interruption. */
export function runToEnd<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/**
 * Shares work that several callers may need at the same time. The work runs once. Each caller takes the next steps of
 * the work. All callers get the result or the error of the work.
 */
export function shared<Result>(begin: () => Generator<void, Result>): () => Generator<void, Result> {
  let work: Generator<void, Result> | undefined;
  let outcome: { readonly result: Result } | { readonly error: unknown } | undefined;
  return function* () {
    work ??= begin();
    while (!outcome) {
      try {
        const { done, value } = work.next();
        if (done) outcome = { result: value };
      } catch (error) {
        outcome = { error };
      }
      if (!outcome) yield;
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.result;
  };
}
