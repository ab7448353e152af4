import { pod } from '../support/pods.ts';
import { describeRule, type Table } from './table.ts';

function tables(field: 'hostNetwork' | 'hostPID' | 'hostIPC'): Table[] {
  const refuses: Table['refuses'] = { true: [pod({ [field]: true }), `pod must not set ${field}=true`] };
  const admits = { 'an unset field': pod(), false: pod({ [field]: false }) };
  return [
    { level: 'privileged', admits: { true: pod({ [field]: true }) } },
    { level: 'baseline', minor: 0, admits, refuses },
    { level: 'restricted', minor: 0, admits, refuses },
    { level: 'privileged', overrides: { [field]: false }, admits, refuses },
    { level: 'restricted', overrides: { [field]: true }, admits: { ...admits, true: pod({ [field]: true }) } },
  ];
}

describeRule('hostNetwork', tables('hostNetwork'));
describeRule('hostPID', tables('hostPID'));
describeRule('hostIPC', tables('hostIPC'));
