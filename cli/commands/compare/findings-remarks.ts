/** Findings as remarks at lines of files. GitHub and code scanning show the remarks. */
import {
  type Finding,
  type FindingKind,
  findingText,
  kindText,
  openQuestionText,
} from '../../../analysis/compare/finding.ts';
import type { Findings } from '../../../analysis/compare/findings.ts';
import type { PolicySource } from '../../../analysis/policies/context.ts';
import { failingCode } from './exit-code.ts';
import { NOT_DECIDED, NOWHERE, type Remark } from './remarks.ts';

/** Findings, and the places of the policies that have the findings. */
export interface PlacedFindings {
  readonly found: Findings;
  /** The places where the policies were read in files. The map's key is the name of the policy. */
  readonly sources: ReadonlyMap<string, PolicySource>;
  /** Whether the command fails because of findings. */
  readonly isStrict: boolean;
}

export function findingRemarks({ found, sources, isStrict }: PlacedFindings): Remark[] {
  const code = isStrict ? failingCode(found) : 0;
  const place = (policy: string | null) => (policy === null ? undefined : sources.get(policy)) ?? NOWHERE;
  const findings = found.findings.map((finding): Remark => {
    const { kind, policy } = finding;
    const level = code === 1 ? 'error' : 'warning';
    const words = { title: kindText(kind), text: findingText(finding) };
    return { level, ruleId: kind, ...words, ...place(policy), properties: propertiesOf(finding) };
  });
  const undecided = found.undecided.map((question): Remark => {
    const { kind = null, policy = null } = question;
    const level = code === 2 ? 'error' : 'warning';
    const words = { title: 'not decided', text: openQuestionText(question) };
    return { level, ruleId: NOT_DECIDED, ...words, ...place(policy), properties: { kind, policy } };
  });
  return [...findings, ...undecided];
}

function propertiesOf({ policy, others, rules }: Finding): NonNullable<Remark['properties']> {
  return { policy, others, rules };
}

/** The ID of the SARIF rule for each kind of finding. */
export const FINDING_RULES: Readonly<Record<FindingKind, string>> = {
  'decides-nowhere': 'Whether the policy decides in some namespace.',
  'admits-nothing': 'Whether some pod meets all rules of the policy.',
  'admits-only-windows': 'Whether some pod that is not for Windows meets all rules of the policy.',
  same: 'Whether no other policy says the same.',
  'opens-nothing': 'Whether the policy admits pods that no other policy of the same priority admits.',
  redundant: 'Whether other pods would be admitted without the policy.',
  'endless-rollout': 'Whether the rollout of the policy can end.',
};
