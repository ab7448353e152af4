/** Shows the rules and the namespaces that have the most violating workloads. */
import { MODES } from '../../../operator/policy/deciding.ts';
import { Name } from '../../components/name.tsx';
import { Table } from '../../components/table.tsx';
import type { ByMode } from '../../model/violations.ts';
import { Bar } from './bar.tsx';
import { More, type OverviewProps, OverviewSection } from './overview-section.tsx';

/** The maximum number of rows to show. The view of the violations shows all rows. */
const MOST_ROWS = 8;

export function WorstRules({ numbers: { violations }, link }: OverviewProps) {
  const rules = violations?.byRule ?? [];
  if (rules.length === 0) return <OverviewSection title="Violated rules">{null}</OverviewSection>;
  return (
    <OverviewSection title="Violated rules" about="Workloads that violate each rule, a workload once for each">
      <Counts
        rows={rules.slice(0, MOST_ROWS).map(({ rule, workloads }) => ({
          name: rule,
          workloads,
          href: link('violations', { rule }),
        }))}
        heading="Rule"
      />
      <More count={rules.length - MOST_ROWS} noun="rule" href={link('violations')} />
    </OverviewSection>
  );
}

export function WorstNamespaces({ numbers: { violations }, link }: OverviewProps) {
  const namespaces = violations?.byNamespace ?? [];
  if (namespaces.length === 0) return <OverviewSection title="Namespaces with violations">{null}</OverviewSection>;
  return (
    <OverviewSection title="Namespaces with violations" about="Workloads that violate some policy">
      <Counts
        rows={namespaces.slice(0, MOST_ROWS).map(({ namespace, workloads }) => ({
          name: namespace,
          workloads,
          href: link('violations', { namespace }),
        }))}
        heading="Namespace"
      />
      <More count={namespaces.length - MOST_ROWS} noun="namespace" href={link('violations')} />
    </OverviewSection>
  );
}

interface CountsProps {
  readonly heading: string;
  readonly rows: readonly { readonly name: string; readonly href: string; readonly workloads: ByMode }[];
}

/** Shows counts as bars that have the same scale. The bar in the first row is the longest. */
function Counts({ rows, heading }: CountsProps) {
  const most = Math.max(...rows.map(({ workloads }) => workloads.total));
  return (
    <Table
      class="counts"
      columns={[
        heading,
        { text: 'Workloads', number: true },
        {
          text: (
            <>
              <span class="swatch Enforce" /> refused <span class="swatch Warn" /> warned about{' '}
              <span class="swatch Audit" /> audited
            </>
          ),
        },
      ]}
    >
      {rows.map(({ name, href, workloads }) => (
        <tr key={name}>
          <th scope="row">
            <a href={href}>
              <Name text={name} />
            </a>
          </th>
          <td class="number">{workloads.total.toLocaleString('en')}</td>
          <td class="bars" title={byModeText(workloads)}>
            <Bar whole={most} parts={MODES.map((mode) => ({ key: mode, value: workloads[mode] }))} />
            <span class="visually-hidden">{byModeText(workloads)}</span>
          </td>
        </tr>
      ))}
    </Table>
  );
}

function byModeText({ Enforce, Warn, Audit }: ByMode): string {
  return [`${Enforce} refused`, `${Warn} warned about`, `${Audit} audited`]
    .filter((text) => !text.startsWith('0 '))
    .join(', ');
}
