/** The limits of cel-js are lower than the limits of API servers, for example 1,000 elements of a list. */
export const LIMITS = {
  maxAstNodes: 1_000_000,
  maxDepth: 1_000,
  maxListElements: 1_000_000,
  maxMapEntries: 1_000_000,
  maxCallArguments: 1_000,
};
