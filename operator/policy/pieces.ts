/** Work in pieces: a generator that yields wherever other work may run, and returns the result. */

/** Runs all pieces without a break. */
export function lastOf<Result>(pieces: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = pieces.next();
    if (done) return value;
  }
}
