import { pod } from '../support/pods.ts';
import { describeRule } from './table.ts';

const named = (runtimeClassName: string) => pod({ runtimeClassName });

describeRule('runtimeClasses', [
  { level: 'restricted', admits: { any: named('kata'), unset: pod() } },
  { level: 'restricted', overrides: { runtimeClasses: { default: 'gvisor' } }, admits: { any: named('kata') } },
  {
    level: 'baseline',
    overrides: { runtimeClasses: { allowed: ['gvisor', 'kata'], default: 'gvisor' } },
    admits: { 'a listed one': named('kata'), unset: pod() },
    refuses: {
      another: [named('runc'), 'pod must not set runtimeClassName to runc (allowed: gvisor, kata)'],
    },
  },
  {
    level: 'baseline',
    overrides: { runtimeClasses: { allowed: [] } },
    admits: { unset: pod() },
    refuses: { any: [named('runc'), 'pod must not set runtimeClassName to runc (allowed: none)'] },
  },
]);
