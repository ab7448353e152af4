/** Sums up many measurements, and formats them for tables. */

export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), max: at(1) };
}

export function shown(value: number, unit = ''): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}${unit && ` ${unit}`}`;
}

export function ratio(value: number, limit: number): string {
  return `${(value / limit).toFixed(2)}×`;
}

/**
 * Returns the growth as a list with one sentence, such as `time grows with the number of pods to the power of 1.02.` If
 * there is only one size, the list is empty.
 */
export function growth(what: string, sizes: readonly number[], values: readonly number[]): string[] {
  const law = exponent(sizes, values);
  return law === undefined ? [] : [`${what} to the power of ${law.toFixed(2)}.`];
}

/**
 * The exponent of the power law that fits the values at the smallest and the largest size. An exponent of 1 means
 * linear growth.
 */
function exponent(sizes: readonly number[], values: readonly number[]): number | undefined {
  const [size, value] = [sizes[0], values[0]];
  const [largest, last] = [sizes.at(-1), values.at(-1)];
  if (!size || !value || !largest || !last || size === largest) return undefined;
  return Math.log(last / value) / Math.log(largest / size);
}
