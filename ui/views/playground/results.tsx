/** Shows the verdicts on the pods of the playground, and the problems of the texts. */
import { policiesText } from '../../../analysis/check/merged.ts';
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import { visibleControls } from '../../../analysis/text/printable-values.ts';
import { Badge, WordBadge } from '../../components/badge.tsx';
import { Name } from '../../components/name.tsx';
import type { ShownItem } from '../../model/play-result.ts';
import { Line, type OnReveal, Troubles } from './troubles.tsx';

interface ResultsProps {
  /** The items with their verdicts; undefined before the first answer. */
  readonly items: readonly ShownItem[] | undefined;
  readonly troubles: readonly Trouble[];
  /** The reasons why objects have no verdict. */
  readonly leftOut: readonly string[];
  /** The reason why there is no answer; empty if there is an answer. */
  readonly problem: string;
  readonly onReveal: OnReveal;
}

export function Results({ items, troubles, leftOut, problem, onReveal }: ResultsProps) {
  return (
    <section class="play-results" aria-label="Verdict">
      <h2>Verdict</h2>
      <p class="visually-hidden" role="status">
        {items && summaryOf(items, troubles, leftOut)}
      </p>
      {problem !== '' && (
        <p class="play-problem" role="alert">
          {problem}
        </p>
      )}
      <Troubles troubles={troubles} onReveal={onReveal} />
      {items?.map((item, index) => (
        <Item key={`${index} ${item.name}`} item={item} onReveal={onReveal} />
      ))}
      {leftOut.map((text) => (
        <p key={text}>{visibleControls(text)}</p>
      ))}
    </section>
  );
}

function Item({ item, onReveal }: { readonly item: ShownItem; readonly onReveal: OnReveal }) {
  const { name, effect, text, violations, findings } = item;
  return (
    <article class="play-item">
      <h3>
        {effect ? <WordBadge word={effect} /> : <Badge tone="quiet">No policy</Badge>}{' '}
        <code>
          <Name text={name} />
        </code>
        <span class="quiet"> {text}</span>
      </h3>
      <ul>
        {violations.map((violation) => (
          <li key={`${violation.first.path} ${violation.message}`}>
            <Line text="manifests" line={violation.first.line} onReveal={onReveal} />{' '}
            {visibleControls(violation.message)}{' '}
            <span class="quiet">
              rule {violation.first.rule} of {policiesText(violation)}
            </span>
          </li>
        ))}
      </ul>
      {findings.length > 0 && (
        <details>
          <summary>Advice: {findings.length}</summary>
          <ul>
            {findings.map(({ path, line, message }) => (
              <li key={`${path} ${message}`}>
                <Line text="manifests" line={line} onReveal={onReveal} /> {visibleControls(message)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </article>
  );
}

/** The summary that screen readers read whenever it changes. */
function summaryOf(items: readonly ShownItem[], troubles: readonly Trouble[], leftOut: readonly string[]): string {
  const verdicts = items.map(({ name, effect }) => `${name}: ${effect ?? 'no policy'}`);
  return [...verdicts, ...leftOut, ...(troubles.length > 0 ? [`${troubles.length} problems in the texts`] : [])].join(
    '. ',
  );
}
