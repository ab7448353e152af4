import type { Environment } from '@marcbachmann/cel-js';
import { SETS } from './functions.ts';

/** The type of the name `sets` in cel-js. In CEL, `sets` is the namespace of functions, and no value. */
class Sets {}

type Compute = (name: string, a: readonly unknown[], b: readonly unknown[]) => unknown;

/** Adds the functions `sets.contains`, `sets.equivalent` and `sets.intersects` to an environment of cel-js. */
export function withSets(environment: Environment, compute: Compute): Environment {
  environment.registerType('Sets', Sets).registerConstant('sets', 'Sets', new Sets());
  for (const name of Object.keys(SETS)) {
    environment.registerFunction(
      `Sets.${name}(list<V>, list<V>): bool`,
      (_: Sets, a: readonly unknown[], b: readonly unknown[]) => compute(name, a, b),
    );
  }
  return environment;
}
