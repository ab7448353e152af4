/** Shows the policies that need attention, and whether a file protects the objects that enforce policies. */
import { Badge, Icon } from '../../components/badge.tsx';
import { Message } from '../../components/message.tsx';
import { Name } from '../../components/name.tsx';
import { More, type OverviewProps, OverviewSection } from './overview-section.tsx';

/** The maximum number of remarks to show. The view of the policies shows all remarks. */
const MOST_REMARKS = 12;

export function Remarks({ numbers: { remarks, protection, policies }, link }: OverviewProps) {
  if (policies === 0) return <OverviewSection title="To look at">{null}</OverviewSection>;
  const unprotected = protection?.status === 'False';
  return (
    <OverviewSection title="To look at">
      {remarks.length === 0 && !unprotected && (
        <p>
          <Badge tone="good">Nothing: every policy is ready, and none ends within a week.</Badge>
        </p>
      )}
      <ul class="remarks">
        {remarks.slice(0, MOST_REMARKS).map(({ policy, tone, about, text }) => (
          <li key={`${policy} ${about}`}>
            <Icon tone={tone} />
            <div>
              <a href={link('policies', { policy })}>
                <Name text={policy} />
              </a>{' '}
              <Message text={text} />
            </div>
          </li>
        ))}
        {unprotected && (
          <li>
            <Icon tone="warning" />
            <div>
              Cluster administrators can change what enforces the policies. <code>cappol render --static</code> writes a
              file that prevents it.
            </div>
          </li>
        )}
      </ul>
      <More count={remarks.length - MOST_REMARKS} noun="remark" href={link('policies')} />
    </OverviewSection>
  );
}
