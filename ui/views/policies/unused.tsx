/** Lists the grants of a policy that no workload needs, from the policy's status. */
import type { SnapshotPolicy } from '../../../analysis/snapshot/document.ts';
import { Name } from '../../components/name.tsx';
import { Section } from '../../components/section.tsx';
import { Table } from '../../components/table.tsx';

export function UnusedGrants({ status }: Pick<SnapshotPolicy, 'status'>) {
  const { unusedGrants = [] } = status;
  if (unusedGrants.length === 0) return null;
  return (
    <Section
      title="Unused grants"
      about="No workload needs these values, entries and subjects of the policy. cappol suggest --cluster -A --tighten writes a patch that removes them."
    >
      <Table columns={['Value or list', 'Entry', 'Unused since']}>
        {unusedGrants.map(({ path, entry, since }) => (
          <tr key={`${path} ${entry}`}>
            <th scope="row">{path === 'spec' ? 'the whole exception' : <Name text={path} />}</th>
            <td>{entry !== undefined && <Name text={entry} />}</td>
            <td>{new Date(String(since)).toLocaleString()}</td>
          </tr>
        ))}
      </Table>
    </Section>
  );
}
