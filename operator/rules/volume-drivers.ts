import { concat, not } from './condition.ts';
import { distinct, namesUsed } from './fit.ts';
import { defineRule, type Fit, type Rule } from './rule.ts';

interface Described extends Pick<Rule, 'title' | 'words' | 'sources'> {
  /** The name of a driver, for the examples of the rule. */
  readonly example: string;
}

/**
 * A rule about the drivers of volumes.
 * @param field a field of a volume, such as `csi`. The rule checks the subfield `driver`
 */
function drivers(
  id: 'csiDrivers' | 'flexVolumeDrivers',
  field: string,
  { example, ...described }: Described,
  guards?: Fit['guards'],
) {
  const driver = `v.?${field}.?driver.orValue("")`;
  return defineRule<readonly string[] | undefined, string>({
    id,
    ...described,
    guides: { cis: [], nsa: [] },
    severity: 'NodeServices',
    reads: { spec: ['volumes'] },
    examples: [[example], []].map((allowed) => {
      const using = (driver: string) => ({ spec: { volumes: [{ name: 'one', [field]: { driver } }] } });
      return {
        overrides: { [id]: allowed },
        admits: [{}, ...allowed.map(using)],
        refuses: [using('example.org/other')],
      };
    }),

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

    unfixable:
      'only this driver gives access to the data of the volume: move the data to a volume of another type first',

    podSecurity: () => 'restricted',

    fit: () => ({
      ...(guards && { guards }),
      asks: [{ over: 'volumes', for: `v.?${field}.hasValue() ? [${driver}] : []` }],
      choices: (used) => namesUsed(id, distinct(used), { valid: /./, most: 32 }),
    }),
  });
}

export const csiDrivers = drivers('csiDrivers', 'csi', {
  title: 'Which drivers the inline csi volumes of a pod may use.',
  words:
    'The Pod Security Standards have no such rule. PodSecurityPolicy: the driver of an inline CSI volume must be in the list.',
  sources: ['PodSecurityPolicy allowedCSIDrivers', 'KEP-596'],
  example: 'ebs.csi.aws.com',
});

export const flexVolumeDrivers = drivers(
  'flexVolumeDrivers',
  'flexVolume',
  {
    title: 'Which drivers flexVolume volumes may use.',
    words:
      'The Pod Security Standards have no such rule. PodSecurityPolicy: the driver of a flexVolume must be in the list.',
    sources: ['PodSecurityPolicy allowedFlexVolumes'],
    example: 'example/lvm',
  },
  { path: 'volumes', entry: 'flexVolume' },
);
