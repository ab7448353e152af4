import { childrenOf } from './children.ts';
import type { Expression } from './expression.ts';
import { print } from './print.ts';

export interface Size {
  /** The length of the text in code points, as the API server counts it. */
  readonly characters: number;
  /** The number of names, literals, operators, calls and macros. An evaluation without loops visits each at most once. */
  readonly nodes: number;
}

/**
 * The maximum of `characters`. The API server refuses a longer expression. The maximum is the default of
 * github.com/google/cel-go/parser.
 */
export const MOST_CHARACTERS = 100_000;

export function sizeOf(expression: Expression): Size {
  return { characters: [...print(expression)].length, nodes: nodesIn(expression) };
}

export function nodesIn(expression: Expression): number {
  return childrenOf(expression).reduce((sum, [child]) => sum + nodesIn(child), 1);
}
