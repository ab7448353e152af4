import { pod, WINDOWS } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const groups = (...supplementalGroups: number[]) => pod({ securityContext: { supplementalGroups } });
const ranges = [
  { min: 1, max: 10 },
  { min: 65534, max: 65534 },
];
const ALLOWED = '(allowed: 1-10, 65534)';
const UNSET = `pod must set securityContext.supplementalGroups ${ALLOWED}`;
const bad = (ids: string) => `pod must not have in securityContext.supplementalGroups ${ids} ${ALLOWED}`;

const admits = {
  'one of a range': groups(10),
  'some of each range': groups(1, 65534, 5),
  'a pod for Windows, which cannot set it': pod(WINDOWS),
};
const refuses: Table['refuses'] = {
  'the root group': [groups(0), bad('0')],
  'two bad ones among good ones': [groups(1, 0, 11, 10), bad('0, 11')],
};

describeRule('supplementalGroups', [
  { level: 'restricted', admits: { 'the root group': groups(0), 'an unset field': pod() } },
  {
    level: 'restricted',
    overrides: { supplementalGroups: { rule: 'RunAsAny' } },
    admits: { any: groups(0), unset: pod() },
  },
  {
    level: 'baseline',
    overrides: { supplementalGroups: { rule: 'MustRunAs', ranges } },
    admits,
    refuses: { ...refuses, 'an unset field': [pod(), UNSET], 'an empty list': [groups(), UNSET] },
  },
  {
    level: 'baseline',
    overrides: { supplementalGroups: { rule: 'MayRunAs', ranges } },
    admits: { ...admits, 'an unset field': pod(), 'an empty list': groups() },
    refuses,
  },
]);
