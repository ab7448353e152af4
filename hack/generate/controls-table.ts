/** Makes the table of the controls in docs/compliance.md. */
import { CONTROLS, type Control } from '../../analysis/controls/controls.ts';
import type { CapabilityPolicyOverrides } from '../../operator/api/capability-policy.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';
import { table } from './markdown.ts';
import { flow } from './rules-reference.ts';

export function controlsTable(): string {
  return [...Map.groupBy(CONTROLS, ({ guide }) => guide)]
    .map(([guide, controls]) => table([guide, 'about', 'passed by pods that these overrides admit'], controls.map(row)))
    .join('\n\n');
}

function row({ id, about, wants }: Control): string[] {
  return [id, about, `\`${Object.entries(wants).map(overrideText).join(', ')}\``];
}

function overrideText([name, value]: [string, CapabilityPolicyOverrides[keyof CapabilityPolicyOverrides]]): string {
  return `${name}: ${flow(value)}`.replace(/\[([^\]]*)\]/g, (list, names: string) => {
    const left = CAPABILITIES.filter((one) => !names.split(', ').includes(one));
    return left.length === 1 ? `[every capability but ${left[0]}]` : list;
  });
}
