/** Sends many random objects to the three engines, and reports the differences between their answers. */
import fc, { type Arbitrary } from 'fast-check';
import { type Answers, type Arena, agree, type Question } from './arena.ts';
import type { DifferentialCase } from './cases.ts';

export interface Plan<T> {
  readonly compared: DifferentialCase;
  readonly objects: Arbitrary<T>;
  readonly ask: (object: T) => Question;
  /** The number of valid objects to evaluate. */
  readonly runs: number;
  readonly seed: number;
}

export interface Outcome {
  readonly compared: DifferentialCase;
  readonly seed: number;
  /** The number of valid, evaluated objects. */
  readonly evaluated: number;
  /** The number of objects that the policy admitted. */
  readonly admitted: number;
  readonly invalid: number;
  readonly differing: number;
  /** The first few differences. */
  readonly differences: readonly Difference[];
}

export interface Difference {
  /** fast-check's path to the object. With the path and the seed, fast-check can regenerate the object. */
  readonly path: string;
  readonly object: unknown;
  readonly answers: Answers;
}

const CONCURRENCY = 8;
/**
 * The number of objects to generate for each valid object that the test needs. Some generated objects are invalid, such
 * as a Windows pod with Linux fields.
 */
const ATTEMPTS = 12;
/** The maximum number of reported differences. One cause often produces many differences. */
const REPORTED = 3;

export async function compare<T>(arena: Arena, plan: Plan<T>): Promise<Outcome> {
  const { compared, runs, seed } = plan;
  const objects = fc.sample(plan.objects, { seed, numRuns: runs * ATTEMPTS });
  let [next, evaluated, admitted, invalid] = [0, 0, 0, 0];
  const differing: number[] = [];

  const worker = async () => {
    while (next < objects.length && evaluated < runs) {
      const index = next++;
      const answers = await arena.ask(plan.ask(objects[index] as T), compared);
      if (answers) {
        evaluated++;
        if (answers.policy.admitted) admitted++;
        if (!agree(answers, compared)) differing.push(index);
      } else invalid++;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  if (evaluated < runs)
    throw new Error(`only ${evaluated} of ${objects.length} random objects are valid, wanted ${runs}`);

  const differences: Difference[] = [];
  for (const index of differing.slice(0, REPORTED)) differences.push(await smallest(arena, plan, index));
  return { compared, seed, evaluated, admitted, invalid, differing: differing.length, differences };
}

/** Shrinks the object at `index` while the engines still give different verdicts. */
async function smallest<T>(arena: Arena, plan: Plan<T>, index: number): Promise<Difference> {
  const property = fc.asyncProperty(plan.objects, async (object) => {
    const answers = await arena.ask(plan.ask(object), plan.compared);
    return answers === undefined || agree(answers, plan.compared);
  });
  const path = String(index);
  const { counterexample, counterexamplePath } = await fc.check(property, { seed: plan.seed, path, numRuns: 1 });
  const object = counterexample?.[0] ?? (fc.sample(plan.objects, { seed: plan.seed, path, numRuns: 1 })[0] as T);
  const answers = await arena.ask(plan.ask(object), plan.compared);
  if (!answers) throw new Error('the object has become invalid');
  return { path: counterexamplePath ?? path, object, answers };
}
