/** The configuration of `npm run test:unit`. The files are all that test/tiers.ts has in no other tier. */
import { unitFiles } from './tiers.ts';

export default {
  require: ['./test/support/compile-cache.ts', './test/support/seed.ts'],
  reporter: './test/support/reporter.ts',
  timeout: 60_000,
  // A single process takes longer on two cores.
  parallel: true,
  jobs: 2,
  'forbid-only': true,
  'forbid-pending': true,
  spec: unitFiles(),
};
