/** One wrong policy, and the answer to it. */
export interface BadInput {
  readonly title: string;
  /** Merged into a spec that is otherwise right; undefined takes a field out. */
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly name?: string;
  readonly answer: RegExp;
}
