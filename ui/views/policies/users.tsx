/** Lists the accounts that may use a policy. */
import type { SnapshotPolicy } from '../../../analysis/snapshot/document.ts';
import type { Holder } from '../../../operator/evaluate/use.ts';
import { Name } from '../../components/name.tsx';
import { Section } from '../../components/section.tsx';
import { Table } from '../../components/table.tsx';
import type { PolicyFacts } from '../../worker/policy-facts.ts';

const ABOUT = {
  Everyone: 'Everyone: every pod that satisfies the policy is admitted.',
  Subjects: 'A pod is admitted if its service account or its creator is one of those that the policy names.',
  Bindings: 'A pod is admitted if a role lets its service account or its creator use the policy.',
} as const;

const UNKNOWN = 'Some roles or bindings could not be read, so this page assumes that everybody may use it.';

export function Users({ policy: { spec }, facts: { users } }: UsersProps) {
  return (
    <Section title="Who may use it" about={ABOUT[spec.usableBy]}>
      {spec.usableBy !== 'Everyone' && (users ? <AllHolders {...users} /> : <p>{UNKNOWN}</p>)}
    </Section>
  );
}

function AllHolders({ holders, holdersOfAll }: NonNullable<PolicyFacts['users']>) {
  return (
    <>
      {holders.length === 0 ? <p>Nobody may use it by its name.</p> : <Holders holders={holders} />}
      {holdersOfAll.length > 0 && (
        <>
          <p>These may use every policy, and so this one, too:</p>
          <Holders holders={holdersOfAll} />
        </>
      )}
    </>
  );
}

interface UsersProps {
  readonly policy: SnapshotPolicy;
  readonly facts: PolicyFacts;
}

function Holders({ holders }: { readonly holders: readonly Holder[] }) {
  return (
    <Table columns={['Kind', 'Name', 'Where']}>
      {holders.map((holder) => (
        <tr key={JSON.stringify(holder)}>
          <td>{holder.subject.kind}</td>
          <th scope="row">
            <Name
              text={
                holder.subject.namespace === undefined
                  ? holder.subject.name
                  : `${holder.subject.namespace}/${holder.subject.name}`
              }
            />
          </th>
          <td>
            {holder.namespace === undefined ? 'everywhere' : <Name text={`namespace ${holder.namespace}`} />}
            {holder.wildcard && ', by a wildcard'}
            {holder.everybody && (
              <b class="warning"> and so everybody who may create a workload, through the built-in controllers</b>
            )}
          </td>
        </tr>
      ))}
    </Table>
  );
}
