/** Evaluates expressions in the same way as the API server. The engine is cel-js with a counter of the costs. */
import { Environment } from '@marcbachmann/cel-js';
import { COST_OF_CHARACTER, itemsIn, TOO_EXPENSIVE } from './costs.ts';
import type { Expression } from './expression.ts';
import { OWN, SETS, STRING_FUNCTIONS } from './functions.ts';
import { withHasOfPaths } from './has-of-path.ts';
import { LIMITS } from './limits.ts';
import { nodesIn } from './measure.ts';
import { LOOPED, metered, NO_ITEMS, SEARCHED } from './metered.ts';
import { print } from './print.ts';
import { withSets } from './sets.ts';

type Context = Readonly<Record<string, unknown>>;

interface Program {
  readonly run: (context: Context) => unknown;
  readonly cost: number;
}

/**
 * The cost of a node of the expression, the fixed costs of an evaluation and of a loop, and the costs of an item that a
 * search compares and of an item that a function of `sets` hashes. One unit is 10 to 20 ns. The texts of the rules have
 * 1.6 tokens for each node, so an evaluation costs as many units as by the tokens of its text.
 */
const COST_OF_NODE = 1.6;
const COST_OF_RUN = 100;
const COST_OF_LOOP = 400;
const COST_OF_SEARCHED_ITEM = 1;
const COST_OF_ITEM_OF_SET = 10;

/** Compiles each expression once, because it runs the expression for many pods. */
export class CelEngine {
  readonly #environment: Environment;
  readonly #programs = new WeakMap<Expression, Program>();
  #spent = 0;
  #limit = Number.POSITIVE_INFINITY;

  constructor() {
    const environment = new Environment({
      enableOptionalTypes: true,
      unlistedVariablesAreDyn: true,
      homogeneousAggregateLiterals: false,
      limits: LIMITS,
    });
    for (const [signature, compute] of Object.entries(STRING_FUNCTIONS)) {
      environment.registerFunction(`string.${OWN}${signature}`, (text: string, ...rest: never[]) => {
        this.#charge(text.length * COST_OF_CHARACTER);
        return compute(text, ...rest);
      });
    }
    for (const collection of ['list<V>', 'map']) {
      environment.registerFunction(`${collection}.${LOOPED}(int): ${collection}`, (items: object, nodes: bigint) => {
        this.#charge(COST_OF_LOOP + itemsIn(items) * Number(nodes) * COST_OF_NODE);
        return items;
      });
    }
    environment.registerFunction(`list<V>.${SEARCHED}(): list<V>`, (items: object) => {
      this.#charge(itemsIn(items) * COST_OF_SEARCHED_ITEM);
      return items;
    });
    environment.registerFunction(`map.${SEARCHED}(): map`, (items: object) => items);
    environment.registerConstant(NO_ITEMS, 'list', []);
    this.#environment = withSets(environment, (name, a, b) => {
      this.#charge((a.length + b.length) * COST_OF_ITEM_OF_SET);
      return SETS[name]?.(a, b);
    });
  }

  /**
   * Calls `work`, and returns its result. `work` may call run(). The method adds up the costs of the calls of run().
   * @throws TooExpensive as soon as the total cost exceeds the limit
   */
  within<Result>(limit: number, work: () => Result): Result {
    this.#spent = 0;
    this.#limit = limit;
    try {
      return work();
    } finally {
      this.#limit = Number.POSITIVE_INFINITY;
    }
  }

  /**
   * Evaluates an expression. Numbers of CEL's type int are bigints.
   * @param context the values of the expression's names, as celValue() converts them
   * @throws Error if the evaluation fails
   */
  run(expression: Expression, context: Context): unknown {
    let program = this.#programs.get(expression);
    if (!program) {
      program = {
        run: this.#environment.parse(print(metered(withHasOfPaths(expression)))),
        cost: COST_OF_RUN + nodesIn(expression) * COST_OF_NODE,
      };
      this.#programs.set(expression, program);
    }
    this.#charge(program.cost);
    const result = program.run(context);
    // Checks the limit a second time. If one operand decides the result, `||` and `exists` ignore the error of another
    // operand.
    this.#charge(0);
    return result;
  }

  #charge(cost: number): void {
    this.#spent += cost;
    if (this.#spent > this.#limit) throw TOO_EXPENSIVE;
  }
}
