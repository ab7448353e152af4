/** Measurements on a machine that runs other programs, too. */

/** The CPU time of this process in ms, which other programs hardly change, although they delay the work. */
export async function cpuMs(work: () => unknown): Promise<number> {
  const began = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1_000;
}

/** The time on the clock that the work takes, in ms. */
export async function clockMs(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/**
 * The smallest of up to five measurements. When a measurement is below the limit, no further measurement is made. Other
 * programs or the garbage collector may slow down one measurement, but a defect slows down all measurements.
 */
export async function leastOf(limit: number, measure: () => Promise<number>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5 && least >= limit; round++) least = Math.min(least, await measure());
  return least;
}
