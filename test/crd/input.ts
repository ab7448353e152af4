/** An invalid policy, and the expected error message. */
export interface BadInput {
  readonly title: string;
  /** The fields to merge into an otherwise valid spec. The value undefined removes a field. */
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly name?: string;
  readonly answer: RegExp;
}
