/** Findings about the policies of the cluster: those of one policy, and what is not known about all of them. */
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
  /** The number of columns of the table. */
  readonly columns: number;
}

/** The findings about the policy of the row above, across all columns; nothing if there are none. */
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

/** The findings about a policy; nothing if there are none. */
export function FindingsSection({ policy, told, link }: FindingsProps) {
  const findings = findingsByPolicy(told).get(policy);
  if (!findings) return null;
  return (
    <Section title="Findings" about="What is proved about this policy beside the others, for all pods and namespaces.">
      <FindingList findings={findings} link={link} />
    </Section>
  );
}

/** Says what was not decided; nothing if each question was. */
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
