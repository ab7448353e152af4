/** The costs that every engine of CEL charges, and the error of an evaluation that costs too much. */

/**
 * The cost that cel-go charges for each character that a function traverses (cel-go checker/cost.go
 * StringTraversalCostFactor).
 */
export const COST_OF_CHARACTER = 0.1;

/** The error of an evaluation that costs more than its limit. */
export class TooExpensive extends Error {
  constructor() {
    super('too expensive to evaluate');
  }
}

/**
 * The engine throws the same error object every time, because the error may occur for every item of a list. A new error
 * would record a stack trace each time. Recording the stack trace takes longer than the evaluation.
 */
export const TOO_EXPENSIVE = new TooExpensive();

/** The number of items that a loop over the list or map visits. */
export function itemsIn(items: object): number {
  if (Array.isArray(items)) return items.length;
  return items instanceof Map || items instanceof Set ? items.size : Object.keys(items).length;
}
