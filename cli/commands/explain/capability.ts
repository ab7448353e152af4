/** Explains a capability that the user names. */
import { CONTAINER_RUNTIMES } from '../../../analysis/capabilities/runtimes.ts';
import { capabilityName, capabilityOf, ruleOf } from '../../../analysis/explain/topic.ts';
import { nearest } from '../../../analysis/schema/nearest.ts';
import { CAPABILITY_TABLE, type Capability, riskText } from '../../../operator/standards/capabilities.ts';
import type { Terminal } from '../../output/terminal.ts';
import { termsText } from './terms.ts';

/** A capability as `-o json` prints it. */
interface ExplainedCapability extends Capability {
  /** The names of the container runtimes that give the capability to containers by default. */
  readonly givenBy: readonly string[];
}

/**
 * @param text the name of a capability in upper or lower case (ASCII), with or without CAP_. ALL means all capabilities
 */
export function capabilityNamed(text: string): { capabilities: readonly Capability[] } | { wrong: string } {
  if (capabilityName(text) === 'ALL') return { capabilities: CAPABILITY_TABLE };
  const capability = capabilityOf(text);
  if (capability) return { capabilities: [capability] };
  const rule = ruleOf(text);
  if (rule) {
    return {
      wrong: `${rule.id} is a rule: cappol explain ${rule.id} --cluster lists the workloads that the rule concerns`,
    };
  }
  const near = nearest(
    capabilityName(text),
    CAPABILITY_TABLE.map((one) => one.name),
  );
  const suggestion = near.length > 0 ? `: did you mean ${near.join(' or ')}?` : '; ALL explains every capability';
  return { wrong: `${text} is not a capability${suggestion}` };
}

export function explained(capability: Capability): ExplainedCapability {
  const givenBy = CONTAINER_RUNTIMES.filter(({ byDefault }) => byDefault.includes(capability.name));
  return { ...capability, givenBy: givenBy.map(({ name }) => name) };
}

/** The explanation of a capability as text of several lines for users. */
export function capabilityText(capability: Capability, terminal: Terminal): string {
  const { name, number, permits, addableAt, instead, sources } = capability;
  const { givenBy } = explained(capability);
  const lines: readonly (readonly [string, string])[] = [
    ['permits', `to ${permits}`],
    [
      'given by',
      givenBy.length > 0 ? `${givenBy.join(', ')}, to containers that add and drop nothing` : 'no runtime by default',
    ],
    ['may be added', MAY_ADD[addableAt]],
    ['risk', riskText(capability)],
    ['instead', instead ?? 'no alternative with fewer privileges'],
    ['source', sources.join(', ')],
  ];
  return termsText(`${name} (${number})`, lines, terminal);
}

const MAY_ADD: Readonly<Record<Capability['addableAt'], string>> = {
  restricted: 'at every level of the Pod Security Standards',
  baseline: 'at level baseline, but not at level restricted',
  privileged: 'at level privileged only',
};
