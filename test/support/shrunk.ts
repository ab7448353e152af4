/** Shrinks a random value that a test has drawn. The test must also fail for the smaller value. */
import fc, { type Arbitrary } from 'fast-check';

/**
 * @param drawn the seed and the position of the value among the samples
 * @param agrees a function that returns whether the test passes for a value
 * @returns the smallest failing value that was found. If the test passes for the drawn value at the second attempt, the
 * result is the drawn value.
 */
export async function shrunk<Value>(
  values: Arbitrary<Value>,
  { seed, index }: { readonly seed: number; readonly index: number },
  agrees: (value: Value) => Promise<boolean>,
): Promise<Value> {
  const run = { seed, path: String(index), numRuns: 1 };
  const { counterexample } = await fc.check(fc.asyncProperty(values, agrees), run);
  return counterexample ? counterexample[0] : (fc.sample(values, run)[0] as Value);
}
