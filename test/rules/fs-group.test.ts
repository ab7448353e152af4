import { pod, WINDOWS } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

const group = (fsGroup: number) => pod({ securityContext: { fsGroup } });
const ranges = [
  { min: 1, max: 10 },
  { min: 65534, max: 65534 },
];
const ALLOWED = '(allowed: 1-10, 65534)';

const admits = {
  'the first of a range': group(1),
  'the last of a range': group(10),
  'the only one of a range': group(65534),
  'a pod for Windows, which cannot set it': pod(WINDOWS),
};
const refuses: Table['refuses'] = {
  'the root group': [group(0), `pod must not set securityContext.fsGroup=0 ${ALLOWED}`],
  'one above': [group(11), `pod must not set securityContext.fsGroup=11 ${ALLOWED}`],
};

describeRule('fsGroup', [
  { level: 'restricted', admits: { 'the root group': group(0), 'an unset field': pod() } },
  { level: 'restricted', overrides: { fsGroup: { rule: 'RunAsAny' } }, admits: { any: group(0), unset: pod() } },
  {
    level: 'baseline',
    overrides: { fsGroup: { rule: 'MustRunAs', ranges } },
    admits,
    refuses: { ...refuses, 'an unset field': [pod(), `pod must set securityContext.fsGroup ${ALLOWED}`] },
  },
  {
    level: 'baseline',
    overrides: { fsGroup: { rule: 'MayRunAs', ranges } },
    admits: { ...admits, 'an unset field': pod() },
    refuses,
  },
]);
