/** Shows the rollouts that are not complete: how far each rollout is, what blocks it, and since when. */
import { counted } from '../../../operator/text/wording.ts';
import { Badge } from '../../components/badge.tsx';
import { Message } from '../../components/message.tsx';
import { Name } from '../../components/name.tsx';
import { NextPromotion } from '../../components/next-promotion.tsx';
import { Table } from '../../components/table.tsx';
import { ageText } from '../../model/age.ts';
import type { Rollout } from '../../model/overview.ts';
import { Bar } from './bar.tsx';
import { More, type OverviewProps, OverviewSection } from './overview-section.tsx';

/** The maximum number of rollouts to show. The view of the policies shows all rollouts. */
const MOST_ROLLOUTS = 5;
const MOST_BLOCKED = 5;

export function Rollouts({ numbers: { rollouts }, cluster, link }: OverviewProps) {
  if (rollouts.length === 0) return <OverviewSection title="Rollouts">{null}</OverviewSection>;
  return (
    <OverviewSection title="Rollouts" about="Policies that are not enforced in all of their namespaces yet">
      {rollouts.slice(0, MOST_ROLLOUTS).map((rollout) => (
        <OneRollout key={rollout.policy} rollout={rollout} taken={cluster.snapshot.taken} link={link} />
      ))}
      <More count={rollouts.length - MOST_ROLLOUTS} noun="rollout" href={link('policies')} />
    </OverviewSection>
  );
}

interface OneRolloutProps extends Pick<OverviewProps, 'link'> {
  readonly rollout: Rollout;
  readonly taken: string;
}

function OneRollout({ rollout, taken, link }: OneRolloutProps) {
  const { policy, enforced, soaking, blocked, total, soak, paused, next, blockedNamespaces } = rollout;
  return (
    <div class="rollout">
      <h3>
        <a href={link('policies', { policy })}>
          <Name text={policy} />
        </a>{' '}
        <span class="quiet">
          {enforced.toLocaleString('en')} of {counted(total, 'namespace')}
        </span>
      </h3>
      <Bar
        parts={[
          { key: 'enforced', value: enforced },
          { key: 'soaking', value: soaking },
          { key: 'blocked', value: blocked },
        ]}
      />
      <ul class="facts">
        <li>
          <span class="swatch enforced" /> {enforced.toLocaleString('en')} enforced
        </li>
        {soaking > 0 && (
          <li>
            <span class="swatch soaking" /> {soaking.toLocaleString('en')} {soaking === 1 ? 'waits' : 'wait'} for {soak}{' '}
            without a violation
          </li>
        )}
        {blocked > 0 && (
          <li>
            <span class="swatch blocked" /> {blocked.toLocaleString('en')} blocked by violations
          </li>
        )}
        {paused && (
          <li>
            <Badge tone="warning">paused</Badge>
          </li>
        )}
        {next && !paused && (
          <li>
            next is <NextPromotion next={next} taken={taken} />
          </li>
        )}
      </ul>
      {blockedNamespaces.length > 0 && (
        <Table columns={['Blocked in', 'Since', { text: 'Workloads', number: true }, 'The worst violation']}>
          {blockedNamespaces.slice(0, MOST_BLOCKED).map(({ name, since, violating, worst }) => (
            <tr key={name}>
              <td>
                <a href={link('violations', { namespace: name })}>
                  <Name text={name} />
                </a>
              </td>
              <td class="age" title={String(since)}>
                {ageText(Date.parse(taken) - Date.parse(String(since)))}
              </td>
              <td class="number">{violating}</td>
              <td>{worst === undefined ? 'a pod that is gone' : <Message text={worst} />}</td>
            </tr>
          ))}
        </Table>
      )}
      <More
        count={blocked - Math.min(blockedNamespaces.length, MOST_BLOCKED)}
        noun="namespace"
        href={link('policies', { policy })}
      />
    </div>
  );
}
