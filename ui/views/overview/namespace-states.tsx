/** Shows the number of namespaces in each state, as a bar and as a line for each state. */
import { type NamespaceState, STATE_TITLES, STATES } from '../../model/namespaces.ts';
import { Bar } from './bar.tsx';
import { type OverviewProps, OverviewSection } from './overview-section.tsx';

const MEANINGS: Readonly<Record<NamespaceState, string>> = {
  enforced: 'pods that violate are refused',
  pending: 'a rollout will enforce its policy here; until then it only reports',
  watched: 'policies warn or audit, and refuse nothing',
  open: 'no policy selects them',
  leaving: 'nothing can be created here',
  excluded: 'no policy reaches them: namespaces of the platform and of the operator',
};

export function NamespaceStates({ numbers: { namespaces }, link }: OverviewProps) {
  if (!namespaces) {
    return (
      <OverviewSection title="Namespaces">
        <p>Namespaces or their pods could not be read, so it is not known where which policy decides.</p>
      </OverviewSection>
    );
  }
  const shown = STATES.filter((state) => namespaces[state] > 0);
  const total = shown.reduce((sum, state) => sum + namespaces[state], 0);
  return (
    <OverviewSection
      title="Namespaces"
      about={`${total.toLocaleString('en')} in all, each by the strictest thing that happens in it`}
    >
      <Bar parts={shown.map((state) => ({ key: state, value: namespaces[state] }))} />
      <table class="states">
        <tbody>
          {shown.map((state) => (
            <tr key={state}>
              <td class="number">
                <a href={link('capabilities', { state })}>{namespaces[state].toLocaleString('en')}</a>
              </td>
              <th scope="row">
                <span class={`swatch ${state}`} />
                {STATE_TITLES[state]}
              </th>
              <td class="meaning">{MEANINGS[state]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </OverviewSection>
  );
}
