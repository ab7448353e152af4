/** The default limit of a comparison: the most pods that it looks at. */
export const DEFAULT_LIMIT = 2_000_000;
