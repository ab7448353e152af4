/**
 * Shows the rules of a policy: the words of the Pod Security Standards, and the CEL expressions with the values of the
 * policy.
 */

import { Fold, Section } from '../../components/section.tsx';
import { visibleText } from '../../model/visible-lines.ts';
import type { CheckText, RuleText } from '../../worker/rendered-policy.ts';

export function Rules({ rules }: { readonly rules: readonly RuleText[] }) {
  return (
    <Section
      title="Rules"
      about="Here the CEL text of each rule has the values of this policy. A program has the text once for all policies, and reads the values from their rows."
    >
      {rules.map((rule) => (
        <Rule key={rule.rule} rule={rule} />
      ))}
    </Section>
  );
}

const OVER = { pod: 'the pod', containers: 'each container', volumes: 'each volume' } as const;
const OF = { unfilled: ', as it was created,', filled: ', as defaulting fills it in,' } as const;

function Rule({ rule: { rule, title, words, references, checks } }: { readonly rule: RuleText }) {
  return (
    <Fold
      summary={
        <>
          <code>{rule}</code> <span class="quiet">{title}</span>
        </>
      }
    >
      {() => (
        <div class="rule">
          <p>
            <q>{words}</q>
          </p>
          {references.length > 0 && (
            <ul>
              {references.map(({ guide, control, about }) => (
                <li key={`${guide} ${control} ${about}`}>
                  {guide}
                  {control !== null && `, ${control}`}: {about}
                </li>
              ))}
            </ul>
          )}
          {checks.map((check, index) => (
            <Check key={index} check={check} />
          ))}
        </div>
      )}
    </Fold>
  );
}

function Check({ check: { over, violates, message, of } }: { readonly check: CheckText }) {
  return (
    <figure>
      <figcaption>
        For {OVER[over]}
        {of && OF[of]} a violation is
      </figcaption>
      <pre class="cel">{visibleText(violates)}</pre>
      <figcaption>and its message is</figcaption>
      <pre class="cel">{visibleText(message)}</pre>
    </figure>
  );
}
