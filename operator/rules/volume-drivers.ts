import { concat, not } from './condition.ts';
import { distinct, namesUsed } from './fit.ts';
import { defineRule, type Fit, type Rule } from './rule.ts';

type Described = Pick<Rule, 'title' | 'words' | 'sources'>;

/** @param field of the volume, whose `driver` must be in the list */
function drivers(id: 'csiDrivers' | 'flexVolumeDrivers', field: string, described: Described, guards?: Fit['guards']) {
  const driver = `v.?${field}.?driver.orValue("")`;
  return defineRule<readonly string[] | undefined, string>({
    id,
    ...described,
    guides: { cis: [], nsa: [] },
    reads: { spec: ['volumes'] },

    value: (overrides) => overrides[id],

    columns: (allowed) => ({ [id]: allowed ?? ['*'] }),

    tests: (values) => [
      {
        applies: not(values.includes(id, '*')),
        over: 'volumes',
        violates: `v.?${field}.hasValue() && !(${driver} in ${values.list(id)})`,
        message: concat(`"must not use ${field}.driver " + ${driver}`, '" (allowed: "', values.listed(id), '")"'),
        path: `${field}.driver`,
      },
    ],

    unfixable: 'the data of the volume are behind its driver: move them to another volume first',

    podSecurity: () => 'restricted',

    fit: () => ({
      ...(guards && { guards }),
      asks: [{ over: 'volumes', for: `v.?${field}.hasValue() ? [${driver}] : []` }],
      choices: (used) => namesUsed(id, distinct(used), { valid: /./, most: 32 }),
    }),
  });
}

export const csiDrivers = drivers('csiDrivers', 'csi', {
  title: 'Which drivers the csi volumes that a pod itself declares may name.',
  words: 'No Standard has this. PodSecurityPolicy: the driver of an inline CSI volume must be in the list.',
  sources: ['PodSecurityPolicy allowedCSIDrivers', 'KEP-596'],
});

export const flexVolumeDrivers = drivers(
  'flexVolumeDrivers',
  'flexVolume',
  {
    title: 'Which drivers flexVolume volumes may name.',
    words: 'No Standard has this. PodSecurityPolicy: the driver of a flexVolume must be in the list.',
    sources: ['PodSecurityPolicy allowedFlexVolumes'],
  },
  { path: 'volumes', entry: 'flexVolume' },
);
