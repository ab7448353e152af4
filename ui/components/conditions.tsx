/** Shows the conditions of a policy, each with its message. */
import type { Condition } from '../../operator/api/capability-policy.ts';
import { shownConditions } from '../model/policy-list.ts';
import { Badge } from './badge.tsx';
import { Message } from './message.tsx';
import { Table } from './table.tsx';

export function Conditions({ conditions }: { readonly conditions: readonly Condition[] }) {
  if (conditions.length === 0) return <p class="about">No operator has written the status of the policy.</p>;
  return (
    <Table class="conditions" columns={['Condition', 'Status', 'Message', 'Since']}>
      {shownConditions(conditions).map(({ type, status, tone, reason, message, lastTransitionTime }) => (
        <tr key={type}>
          <th scope="row">{type}</th>
          <td>
            <Badge tone={tone}>{status}</Badge>
          </td>
          <td>
            <b>{reason}</b>
            <br />
            <Message text={message} />
          </td>
          <td>
            <time dateTime={String(lastTransitionTime)}>{new Date(String(lastTransitionTime)).toLocaleString()}</time>
          </td>
        </tr>
      ))}
    </Table>
  );
}
