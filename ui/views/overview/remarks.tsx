/** The policies that somebody should look at, and whether a file protects what enforces them. */
import { Badge, Icon } from '../../parts/badge.tsx';
import { Message } from '../../parts/message.tsx';
import { Name } from '../../parts/name.tsx';
import { More, Part, type PartProps } from './part.tsx';

/** The other ones are in the view of the policies. */
const MOST_REMARKS = 12;

export function Remarks({ numbers: { remarks, protection, policies }, link }: PartProps) {
  if (policies === 0) return <Part title="To look at">{null}</Part>;
  const unprotected = protection?.status === 'False';
  return (
    <Part title="To look at">
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
    </Part>
  );
}
