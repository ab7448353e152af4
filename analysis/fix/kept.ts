/**
 * Derives repairs from the evidence of --used. After the repairs, containers keep the capabilities that they used, and
 * drop all other capabilities.
 */
import type { Candidate } from '../../operator/evaluate/verdict.ts';
import { arrayOf } from '../../operator/model/raw.ts';
import { firstOf } from '../../operator/text/wording.ts';
import type { ComparedContainer } from '../evidence/compare.ts';
import { type KeptChange, keepUsed, keptChanges } from '../evidence/keep.ts';
import type { ManifestPod } from '../evidence/matching.ts';
import { coverageSentences } from '../evidence/text.ts';
import type { UsedCapabilities } from '../evidence/used-capabilities.ts';
import type { Repair } from './repairer.ts';

/** A repair whose reason is the evidence of --used. The field `policy` is null if no policy requires the repair. */
export type KeptRepair = Omit<Repair, 'policy'> & { readonly policy: string | null };

export interface Kept {
  /** The pod after all repairs. */
  readonly candidate: Candidate;
  readonly repairs: readonly KeptRepair[];
  /** The capabilities that the container used, but that the repair for a policy would remove. */
  usedDespite(repair: KeptRepair): readonly string[];
}

const FEW = 6;

export function keptBy(used: UsedCapabilities, candidate: Candidate, pod: ManifestPod): Kept {
  const { annotations, spec } = candidate.content;
  const compared = used.compare(spec, pod);
  return {
    candidate: { ...candidate, content: { annotations, spec: keepUsed(spec, compared) } },
    repairs: keptChanges(spec, compared).map(repairOf),
    usedDespite: (repair) => usedDespite(repair, compared),
  };
}

function repairOf({ parent, field, value, container, evidence }: KeptChange): KeptRepair {
  const { used, unused, coverage } = evidence;
  const names = used.map(({ capability }) => capability);
  const isAdd = field.at(-1) === 'add' && names.length > 0;
  return {
    parent,
    container,
    field,
    value,
    policy: null,
    rule: 'capabilities',
    class: 'check',
    reason: isAdd
      ? `container "${container}" used ${names.join(', ')}`
      : `container "${container}" was not seen to use ${firstOf(unused, FEW)}`,
    risk: `container "${container}" may need more capabilities for work that was not watched. ${coverageSentences(coverage).join(' ')}`,
  };
}

function usedDespite(
  { policy, container, field, value }: KeptRepair,
  compared: readonly ComparedContainer[],
): string[] {
  if (policy === null || field.slice(0, 3).join('.') !== 'securityContext.capabilities.add') return [];
  const { evidence } = compared.find(({ name }) => name === container) ?? {};
  const names = (evidence?.used ?? []).map(({ capability }) => capability);
  return names.filter((name) => !arrayOf(value).includes(name));
}
