/**
 * Evaluates CEL in the same way as the API server. The engine is cel-js with a counter of the costs. cel-js and the API
 * server treat text beyond ASCII differently, so engine/cel/functions.ts replaces some functions of cel-js.
 */
import { Environment } from '@marcbachmann/cel-js';
import { COST_OF_CHARACTER, itemsIn, TOO_EXPENSIVE } from '../../engine/cel/costs.ts';
import { OWN, REPLACED, STRING_FUNCTIONS } from '../../engine/cel/functions.ts';
import { TOKEN } from '../compile/pod-cel.ts';
import type { PodSpec } from '../model/objects.ts';
import { perObject } from '../policy/memo.ts';

type Context = Record<string, unknown>;

interface Program {
  readonly run: (context: Context) => unknown;
  readonly cost: number;
}

/**
 * The maximum number of compiled expressions that are kept. All policies of a cluster together have fewer expressions.
 * Without a limit, the expressions of edited policies would accumulate.
 */
const MOST_PROGRAMS = 10_000;
/**
 * The fixed cost of an evaluation, and the fixed cost of a loop over a list. One unit of a fixed cost is the time that
 * cel-js needs to evaluate one name or operator.
 */
const COST_OF_RUN = 100;
const COST_OF_LIST = 400;

interface EngineOptions {
  /**
   * Adds CEL functions for rendered programs. Rules do not use these functions. Tests use these CEL functions, because
   * tests run all expressions of a program.
   */
  readonly register?: (environment: Environment) => void;
}

/**
 * Compiles and runs CEL expressions. The engine compiles each expression once, because it runs the expression for many
 * pods.
 */
export class CelEngine {
  readonly #environment = new Environment({
    enableOptionalTypes: true,
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    // One expression may contain all rules of a policy. The engine's limits are therefore higher than an API server's
    // limits.
    limits: { maxAstNodes: 1_000_000, maxDepth: 1_000 },
  });
  readonly #programs = new Map<string, Program>();
  #spent = 0;
  #limit = Number.POSITIVE_INFINITY;

  constructor({ register }: EngineOptions = {}) {
    register?.(this.#environment);
    const charged = (text: string) => this.#charge(text.length * COST_OF_CHARACTER);
    for (const [signature, compute] of Object.entries(STRING_FUNCTIONS)) {
      this.#environment.registerFunction(`string.${OWN}${signature}`, (text: string, ...rest: never[]) => {
        charged(text);
        return compute(text, ...rest);
      });
    }
    // cel-js lacks the function `sum` of Kubernetes' list library.
    this.#environment.registerFunction('list<V>.sum(): int', (numbers: readonly bigint[]) =>
      numbers.reduce((sum, number) => sum + number, 0n),
    );
    for (const collection of ['list<V>', 'map']) {
      const signature = `${collection}.${METERED}(int): ${collection}`;
      this.#environment.registerFunction(signature, (items: object, costOfItem: bigint) => {
        this.#charge(COST_OF_LIST + itemsIn(items) * Number(costOfItem));
        return items;
      });
    }
  }

  /**
   * Calls `work`, and returns its result. `work` may call run(). The method adds up the costs of the calls of run(). As
   * in the API server, each name and each operator costs about one unit.
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
   * Evaluates a CEL expression. Numbers of CEL's type int are bigints.
   * @param context the values of variables, in the form that celValue() returns
   */
  run(text: string, context: Context): unknown {
    let program = this.#programs.get(text);
    if (!program) {
      program = this.#compile(text);
      if (this.#programs.size >= MOST_PROGRAMS) this.#programs.clear();
      this.#programs.set(text, program);
    }
    this.#charge(program.cost);
    const result = program.run(context);
    // Checks the limit a second time. If one operand decides the result, `||` and `exists` ignore the error of another
    // operand.
    this.#charge(0);
    return result;
  }

  #compile(text: string): Program {
    return { run: this.#environment.parse(rewritten(text)), cost: COST_OF_RUN + tokensIn(text) };
  }

  #charge(cost: number): void {
    this.#spent += cost;
    if (this.#spent > this.#limit) throw TOO_EXPENSIVE;
  }
}

/**
 * Converts a value of a manifest to the form that cel-js accepts. The library cel-js uses the field `constructor` of an
 * object to find the type of the object. A manifest may have a field with this name. The function converts an object
 * with the field `constructor` to a Map. In CEL, the Map has the same fields as the object.
 */
export function celValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(celValue);
  const entries = Object.entries(value).map(([key, part]) => [key, celValue(part)] as const);
  return Object.hasOwn(value, 'constructor') ? new Map(entries) : Object.fromEntries(entries);
}

/**
 * Applies celValue to the parts of a spec. In most specs, no object has a field `constructor`. If no object has a field
 * `constructor`, the function returns the parts unchanged.
 */
export const celValueIn = perObject((spec: PodSpec): ((part: unknown) => unknown) =>
  ownsConstructor(spec) ? celValue : (part) => part,
);

function ownsConstructor(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (!Array.isArray(value) && Object.hasOwn(value, 'constructor')) return true;
  return Object.values(value).some(ownsConstructor);
}

/**
 * The name of the function that adds the cost of a macro to the total. Rewritten expressions call this function on each
 * list before the macro.
 */
const METERED = 'metered_';

const LITERAL = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/;
const LITERAL_OR_CALL = new RegExp(`${LITERAL.source}|\\.(\\w+)\\(`, 'g');
const LITERAL_OR_BRACKET = new RegExp(`${LITERAL.source}|[()]`, 'g');
const MACROS = ['all', 'exists', 'filter', 'map'];

function rewritten(text: string): string {
  return text.replace(LITERAL_OR_CALL, (found, name: string | undefined, at: number) => {
    if (name === undefined) return found;
    if (REPLACED.has(name)) return `.${OWN}${name}(`;
    if (!MACROS.includes(name)) return found;
    return `.${METERED}(${tokensIn(bodyAt(text, at + found.length))})${found}`;
  });
}

/** The part of the expression from `start` to the closing bracket. The opening bracket is before `start`. */
function bodyAt(text: string, start: number): string {
  let depth = 1;
  for (const { 0: found, index } of text.slice(start).matchAll(LITERAL_OR_BRACKET)) {
    if (found === '(') depth++;
    else if (found === ')' && --depth === 0) return text.slice(start, start + index);
  }
  return text.slice(start);
}

function tokensIn(text: string): number {
  return text.match(TOKEN)?.length ?? 0;
}
