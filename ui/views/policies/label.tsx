/** Shows the Pod Security label that a policy sets on its namespaces, and why the label is not stricter. */
import type { SnapshotPolicy } from '../../../analysis/snapshot/document.ts';
import { labelOfMode } from '../../../operator/compile/labels.ts';
import { Name } from '../../components/name.tsx';
import { Section } from '../../components/section.tsx';
import { costsByLabel, labelText } from '../../model/label-words.ts';
import type { LabelFacts, PolicyFacts } from '../../worker/policy-facts.ts';

interface LabelProps {
  readonly policy: SnapshotPolicy;
  readonly facts: PolicyFacts;
}

export function LabelSection({ policy: { spec }, facts: { label } }: LabelProps) {
  if (!label) return null;
  return (
    <Section
      title="Pod Security label"
      about="Where it decides alone, its namespaces get the tightest label that refuses nothing which the policy admits."
    >
      {spec.podSecurityLabels === 'Off' ? (
        <p>
          It writes none: <code>spec.podSecurityLabels</code> is Off. It could be <b>{labelText(label.found)}</b>.
        </p>
      ) : label.found ? (
        <p>
          <code>{labelOfMode(spec.mode)}</code>: <b>{labelText(label.found)}</b>
        </p>
      ) : (
        <p>
          It writes none, because each level refuses something that the policy admits. The admission policy enforces all
          rules.
        </p>
      )}
      <Costs costs={label.costs} />
      {label.unfilled && (
        <>
          <p>
            For warnings and the audit log: <b>{labelText(label.unfilled.found)}</b>
          </p>
          <Costs costs={label.unfilled.costs} />
        </>
      )}
      {label.found && label.beyond.length > 0 && (
        <p>
          The label does not enforce all of the policy. Only the admission policy enforces these rules:{' '}
          {label.beyond.map((rule, index) => (
            <span key={rule}>
              {index > 0 && ', '}
              <code>{rule}</code>
            </span>
          ))}
          .
        </p>
      )}
    </Section>
  );
}

function Costs({ costs }: Pick<LabelFacts, 'costs'>) {
  return costsByLabel(costs).map(({ label, rules, beforeFilling }) => (
    <p key={label}>
      <b>{label}</b> would refuse pods that the policy admits
      {rules.length > 0 && ', by '}
      {rules.map((rule, index) => (
        <span key={rule}>
          {index > 0 && ', '}
          <code>
            <Name text={rule} />
          </code>
        </span>
      ))}
      {beforeFilling && `${rules.length > 0 ? ', and' : ':'} pods whose fields defaulting fills in later`}.
    </p>
  ));
}
