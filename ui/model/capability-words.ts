/** Describes a capability in words, for all views. */
import { type Capability, riskText } from '../../operator/standards/capabilities.ts';

/** The meaning of a capability: what the capability permits, its risk, and a less dangerous alternative. */
export function meaningText(capability: Capability): string {
  const { permits, instead } = capability;
  return `It permits a process to ${permits}. Risk: ${riskText(capability)}.${instead === undefined ? '' : ` Instead: ${instead}.`}`;
}
