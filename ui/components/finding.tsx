/** Shows the findings about a policy. Each finding has a title, and the sentence that `cappol compare` prints. */
import type { Finding } from '../../analysis/compare/finding.ts';
import { visibleControls } from '../../analysis/text/printable-values.ts';
import { findingParts, findingTitle } from '../model/finding-words.ts';
import type { LinkTo } from '../model/links.ts';
import { Badge } from './badge.tsx';
import { Name } from './name.tsx';

interface FindingsProps {
  readonly findings: readonly Finding[];
  readonly link: LinkTo;
}

/** The findings as a list. The component renders nothing if there are no findings. */
export function FindingList({ findings, link }: FindingsProps) {
  if (findings.length === 0) return null;
  return (
    <ul class="findings">
      {findings.map((finding) => (
        <li key={finding.kind}>
          <FindingBadge kind={finding.kind} />{' '}
          {findingParts(finding).map((part) =>
            typeof part === 'string' ? (
              visibleControls(part)
            ) : (
              <a key={part.policy} href={link('policies', part)}>
                <Name text={part.policy} />
              </a>
            ),
          )}
        </li>
      ))}
    </ul>
  );
}

export function FindingBadge({ kind }: Pick<Finding, 'kind'>) {
  return <Badge tone="warning">{findingTitle(kind)}</Badge>;
}
