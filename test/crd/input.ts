/** One wrong policy, and the answer to it. */
export interface BadInput {
  readonly title: string;
  /** Merged into an otherwise valid spec; undefined removes a field. */
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly name?: string;
  readonly answer: RegExp;
}
