/** The default limit of a comparison: the maximum number of pods that it examines. */
export const DEFAULT_LIMIT = 2_000_000;
