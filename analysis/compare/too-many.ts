/** Thrown if there are more values than a comparison can examine. */
export class TooMany extends Error {
  /** A sentence that says why the question is not decided. */
  get reason(): string {
    return `there is too much to compare: ${this.message}`;
  }
}

/** Thrown if the evaluation of a check fails for a pod. The comparison can prove nothing about such a check. */
export class Failed extends TooMany {
  override get reason(): string {
    return this.message;
  }
}
