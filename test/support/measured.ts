/** Measures on a machine that also runs other programs. */

/**
 * The CPU time of this process in ms. Other programs delay the work, but hardly change the CPU time of the work.
 */
export async function cpuMs(work: () => unknown): Promise<number> {
  const began = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1_000;
}

/** The elapsed time of the work on the clock, in ms. */
export async function clockMs(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/**
 * The smallest of up to five measurements. No further measurement is made after a measurement below the limit. Other
 * programs or the garbage collector may slow down one measurement, but a defect slows down all measurements.
 */
export async function leastOf(limit: number, measure: () => Promise<number>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5 && least >= limit; round++) least = Math.min(least, await measure());
  return least;
}
