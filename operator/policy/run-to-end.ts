/** Work that can be interrupted: a generator that yields wherever other work may run, and returns the result. */

/** Runs the work without interruption. */
export function runToEnd<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}
