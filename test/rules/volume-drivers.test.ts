import { pod } from '../support/pods.ts';
import { describeRule } from './table.ts';

const csi = (driver: string) => pod({ volumes: [{ name: 'a', csi: { driver } }] });
const flex = (driver: string) => pod({ volumes: [{ name: 'a', flexVolume: { driver } }] });
const others = { 'no volume': pod(), 'a volume of another type': pod({ volumes: [{ name: 'a', emptyDir: {} }] }) };

describeRule('csiDrivers', [
  { level: 'restricted', admits: { ...others, 'any driver': csi('example.com/a') } },
  {
    level: 'baseline',
    overrides: { csiDrivers: ['ebs.csi.aws.com'] },
    admits: { ...others, 'a listed driver': csi('ebs.csi.aws.com') },
    refuses: {
      'another driver': [
        csi('ebs.csi.aws.com.example.com'),
        'volume "a" must not use csi.driver ebs.csi.aws.com.example.com (allowed: ebs.csi.aws.com)',
      ],
    },
  },
  {
    level: 'privileged',
    overrides: { csiDrivers: [] },
    admits: others,
    refuses: { 'any driver': [csi('a'), 'volume "a" must not use csi.driver a (allowed: none)'] },
  },
]);

describeRule('flexVolumeDrivers', [
  { level: 'restricted', admits: { ...others, 'any driver': flex('example/cifs') } },
  {
    level: 'baseline',
    overrides: { flexVolumeDrivers: ['example/lvm', 'example/nfs'] },
    admits: { ...others, 'a listed driver': flex('example/nfs') },
    refuses: {
      'another driver': [
        flex('example/cifs'),
        'volume "a" must not use flexVolume.driver example/cifs (allowed: example/lvm, example/nfs)',
      ],
    },
  },
  {
    level: 'privileged',
    overrides: { flexVolumeDrivers: [] },
    admits: others,
    refuses: { 'any driver': [flex('a'), 'volume "a" must not use flexVolume.driver a (allowed: none)'] },
  },
]);
