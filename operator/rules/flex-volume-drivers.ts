import { listed, literal } from './cel.ts';
import { distinct, namesUsed } from './fit.ts';
import { defineRule } from './rule.ts';

export const flexVolumeDrivers = defineRule<readonly string[] | undefined, string>({
  id: 'flexVolumeDrivers',
  title: 'Which drivers flexVolume volumes may name.',
  words: 'No Standard has this. PodSecurityPolicy: the driver of a flexVolume must be in the list.',
  sources: ['PodSecurityPolicy allowedFlexVolumes'],
  reads: { spec: ['volumes'] },

  value: (overrides) => overrides.flexVolumeDrivers,

  checks: (drivers) =>
    drivers
      ? [
          {
            over: 'volumes',
            violates: `v.?flexVolume.hasValue() && !(v.?flexVolume.?driver.orValue("") in ${literal(drivers)})`,
            message: `"must not use flexVolume.driver " + v.?flexVolume.?driver.orValue("") + ${literal(` (allowed: ${listed(drivers)})`)}`,
            path: 'flexVolume.driver',
          },
        ]
      : [],

  podSecurity: () => 'restricted',

  fit: () => ({
    guards: { path: 'volumes', entry: 'flexVolume' },
    asks: [{ over: 'volumes', for: 'v.?flexVolume.hasValue() ? [v.?flexVolume.?driver.orValue("")] : []' }],
    choices: (drivers) => namesUsed('flexVolumeDrivers', distinct(drivers), { valid: /./, most: 32 }),
  }),
});
