import { pod } from '../support/pods.ts';
import { describeRule } from './table.ts';

const driver = (name: string) => pod({ volumes: [{ name: 'a', csi: { driver: name } }] });
const others = { 'no volume': pod(), 'a volume of another type': pod({ volumes: [{ name: 'a', emptyDir: {} }] }) };

describeRule('csiDrivers', [
  { level: 'restricted', admits: { ...others, 'any driver': driver('example.com/a') } },
  {
    level: 'baseline',
    overrides: { csiDrivers: ['ebs.csi.aws.com'] },
    admits: { ...others, 'a listed driver': driver('ebs.csi.aws.com') },
    refuses: {
      'another driver': [
        driver('ebs.csi.aws.com.example.com'),
        'volume "a" must not use csi.driver ebs.csi.aws.com.example.com (allowed: ebs.csi.aws.com)',
      ],
    },
  },
  {
    level: 'privileged',
    overrides: { csiDrivers: [] },
    admits: others,
    refuses: { 'any driver': [driver('a'), 'volume "a" must not use csi.driver a (allowed: none)'] },
  },
]);
