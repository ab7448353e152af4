/**
 * Shows findings about the policies of the cluster: the findings about one policy, and the questions that were not
 * decided.
 */
import type { Finding } from '../../../analysis/compare/finding.ts';
import { visibleControls } from '../../../analysis/text/printable-values.ts';
import { FindingList } from '../../components/finding.tsx';
import { Section } from '../../components/section.tsx';
import { findingsByPolicy, type ToldFindings } from '../../model/finding-words.ts';
import type { LinkTo } from '../../model/links.ts';

interface FindingsProps {
  readonly policy: string;
  readonly told: ToldFindings | undefined;
  readonly link: LinkTo;
}

interface FindingsRowProps extends Pick<FindingsProps, 'link'> {
  readonly findings: readonly Finding[] | undefined;
  /** The number of columns of the table. The row spans all columns. */
  readonly columns: number;
}

/**
 * A row with the findings about the policy in the row above. The component renders nothing if there are no findings.
 */
export function FindingsRow({ findings, columns, link }: FindingsRowProps) {
  if (!findings) return null;
  return (
    <tr class="findings-row">
      <td colSpan={columns}>
        <FindingList findings={findings} link={link} />
      </td>
    </tr>
  );
}

/** A section with the findings about a policy. The component renders nothing if there are no findings. */
export function FindingsSection({ policy, told, link }: FindingsProps) {
  const findings = findingsByPolicy(told).get(policy);
  if (!findings) return null;
  return (
    <Section title="Findings" about="What is proved about this policy beside the others, for all pods and namespaces.">
      <FindingList findings={findings} link={link} />
    </Section>
  );
}

/** A note about questions that were not decided. The component renders nothing if each question was decided. */
export function FindingsNote({ told }: Pick<FindingsProps, 'told'>) {
  if (!told) return null;
  if ('error' in told)
    return <p class="about">The findings about policies are not known: {visibleControls(told.error)}</p>;
  const { undecided } = told.findings;
  if (undecided === 0) return null;
  return (
    <p class="about findings-note">
      Whether {undecided === 1 ? '1 policy has' : `${undecided} policies have`} an effect was not decided.{' '}
      <code>cappol compare</code> looks at more pods than the page does.
    </p>
  );
}
