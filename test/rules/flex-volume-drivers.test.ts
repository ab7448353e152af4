import { pod } from '../support/pods.ts';
import { describeRule } from './table.ts';

const driver = (name: string) => pod({ volumes: [{ name: 'a', flexVolume: { driver: name } }] });
const others = { 'no volume': pod(), 'a volume of another type': pod({ volumes: [{ name: 'a', emptyDir: {} }] }) };

describeRule('flexVolumeDrivers', [
  { level: 'restricted', admits: { ...others, 'any driver': driver('example/cifs') } },
  {
    level: 'baseline',
    overrides: { flexVolumeDrivers: ['example/lvm', 'example/nfs'] },
    admits: { ...others, 'a listed driver': driver('example/nfs') },
    refuses: {
      'another driver': [
        driver('example/cifs'),
        'volume "a" must not use flexVolume.driver example/cifs (allowed: example/lvm, example/nfs)',
      ],
    },
  },
  {
    level: 'privileged',
    overrides: { flexVolumeDrivers: [] },
    admits: others,
    refuses: { 'any driver': [driver('a'), 'volume "a" must not use flexVolume.driver a (allowed: none)'] },
  },
]);
