import type { Registry } from 'prom-client';

/**
 * The values of all series whose names begin with `prefix`, by name and labels. For a histogram, the result has only
 * the sum and the count.
 */
export async function seriesOf(registry: Registry, prefix: string): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).split('\n');
  const values = lines.filter((line) => line.startsWith(prefix) && !line.includes('_bucket{'));
  return Object.fromEntries(
    values.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}
