import { listed, literal } from './cel.ts';
import { distinct, namesUsed } from './fit.ts';
import { defineRule } from './rule.ts';

export const csiDrivers = defineRule<readonly string[] | undefined, string>({
  id: 'csiDrivers',
  title: 'Which drivers the csi volumes that a pod itself declares may name.',
  words: 'No Standard has this. PodSecurityPolicy: the driver of an inline CSI volume must be in the list.',
  sources: ['PodSecurityPolicy allowedCSIDrivers', 'KEP-596'],
  reads: { spec: ['volumes'] },

  value: (overrides) => overrides.csiDrivers,

  checks: (drivers) =>
    drivers
      ? [
          {
            over: 'volumes',
            violates: `v.?csi.hasValue() && !(v.?csi.?driver.orValue("") in ${literal(drivers)})`,
            message: `"must not use csi.driver " + v.?csi.?driver.orValue("") + ${literal(` (allowed: ${listed(drivers)})`)}`,
            path: 'csi.driver',
          },
        ]
      : [],

  podSecurity: () => 'restricted',

  fit: () => ({
    asks: [{ over: 'volumes', for: 'v.?csi.hasValue() ? [v.?csi.?driver.orValue("")] : []' }],
    choices: (drivers) => namesUsed('csiDrivers', distinct(drivers), { valid: /./, most: 32 }),
  }),
});
