/** Shows how far the rollout of a policy is, and what blocks it. */
import type { SnapshotPolicy } from '../../../analysis/snapshot/document.ts';
import { Message } from '../../components/message.tsx';
import { Name } from '../../components/name.tsx';
import { NextPromotion } from '../../components/next-promotion.tsx';
import { Section } from '../../components/section.tsx';
import { Table } from '../../components/table.tsx';
import type { LinkTo } from '../../model/links.ts';

interface RolloutProps {
  readonly policy: SnapshotPolicy;
  readonly taken: string;
  readonly link: LinkTo;
}

export function RolloutSection({ policy: { name, spec, status }, taken, link }: RolloutProps) {
  const { rollout } = spec;
  if (!rollout) return null;
  const { enforced = 0, soaking = 0, blocked = 0, next, blockedNamespaces = [] } = status.rollout ?? {};
  const all = enforced + soaking + blocked;
  const pace = rollout.namespacesPerHour;
  return (
    <Section
      title="Rollout"
      about={`A namespace is enforced when nothing in it has violated the policy for ${rollout.soak}${pace === undefined ? '' : `, at most ${pace} namespaces an hour`}. Until then the policy is in mode ${rollout.meanwhile} there.`}
    >
      {status.rollout ? (
        <>
          <p>
            <progress value={enforced} max={Math.max(1, all)} aria-label="Enforced namespaces" />{' '}
            <b>
              {enforced.toLocaleString('en')} of {all.toLocaleString('en')}
            </b>{' '}
            namespaces are enforced, {soaking.toLocaleString('en')} soak, {blocked.toLocaleString('en')} are blocked by
            violations.
            {rollout.paused && <b class="warning"> The rollout is paused.</b>}
          </p>
          {next && !rollout.paused && (
            <p>
              Next is <NextPromotion next={next} taken={taken} />.
            </p>
          )}
        </>
      ) : (
        <p>It has not begun.</p>
      )}
      {blockedNamespaces.length > 0 && (
        <Table columns={['Blocked namespace', { text: 'Violating', number: true }, 'Since', 'Worst']}>
          {blockedNamespaces.map(({ name: namespace, violating, since, worst }) => (
            <tr key={namespace}>
              <th scope="row">
                <a href={link('violations', { namespace, policy: name })}>
                  <Name text={namespace} />
                </a>
              </th>
              <td class="number">{violating.toLocaleString('en')}</td>
              <td>{new Date(String(since)).toLocaleString()}</td>
              <td>{worst === undefined ? 'a pod that is gone' : <Message text={worst} />}</td>
            </tr>
          ))}
        </Table>
      )}
      {blocked > blockedNamespaces.length && (
        <p class="about">The status names only the first {blockedNamespaces.length}.</p>
      )}
    </Section>
  );
}
