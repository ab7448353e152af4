/** Shows the most dangerous capabilities that workloads were given on purpose. */
import { RISKS } from '../../../operator/standards/capabilities.ts';
import { Table } from '../../components/table.tsx';
import { type OverviewProps, OverviewSection } from './overview-section.tsx';

const MOST_ROWS = 10;

export function InUseList({ numbers: { inUse }, link }: OverviewProps) {
  const rows = inUse.filter(({ added }) => added > 0);
  // The number of privileged workloads is the same for all capabilities, because a privileged container holds every
  // capability.
  const [{ privileged = 0 } = {}] = inUse;
  if (rows.length + privileged === 0) return <OverviewSection title="Capabilities in use">{null}</OverviewSection>;
  return (
    <OverviewSection
      title="Riskiest capabilities in use"
      about="Workloads that hold it on purpose, the most dangerous capability first"
    >
      <Table class="in-use" columns={['Capability', { text: 'Workloads', number: true }, 'It permits a process to …']}>
        {privileged > 0 && (
          <tr>
            <th scope="row">
              <span class="swatch r-host" />
              <a href={link('capabilities', { held: 'privileged' })}>all, by privileged: true</a>
            </th>
            <td class="number">{privileged.toLocaleString('en')}</td>
            <td class="meaning">do anything that root of the node may, with every device of the node</td>
          </tr>
        )}
        {rows.slice(0, MOST_ROWS).map(({ capability: { name, permits, risk }, added }) => (
          <tr key={name}>
            <th scope="row">
              <span class={`swatch r-${risk}`} />
              <a href={link('capabilities', { capability: name, held: 'added' })} title={`Risk: ${RISKS[risk]}`}>
                {name}
              </a>
            </th>
            <td class="number">{added.toLocaleString('en')}</td>
            <td class="meaning">{permits}</td>
          </tr>
        ))}
      </Table>
    </OverviewSection>
  );
}
