/** Lists the problems of the playground's texts, each with its line. */
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import { visibleControls } from '../../../analysis/text/printable-values.ts';
import { Badge } from '../../components/badge.tsx';
import type { CheckedText } from '../../worker/check.ts';

export type OnReveal = (text: CheckedText, line: number) => void;

const TITLES: Readonly<Record<CheckedText, string>> = { policies: 'Policies', manifests: 'Pods', before: 'Before' };

interface TroublesProps {
  readonly troubles: readonly Trouble[];
  readonly onReveal: OnReveal;
}

export function Troubles({ troubles, onReveal }: TroublesProps) {
  if (troubles.length === 0) return null;
  return (
    <ul class="play-troubles">
      {troubles.map((trouble) => (
        <li key={JSON.stringify(trouble)}>
          <Badge tone={trouble.severity === 'warning' ? 'warning' : 'critical'}>
            {TITLES[trouble.file as CheckedText]}
          </Badge>{' '}
          <Line text={trouble.file as CheckedText} line={trouble.line ?? null} onReveal={onReveal} />{' '}
          {visibleControls(trouble.message)}
        </li>
      ))}
    </ul>
  );
}

interface LineProps {
  readonly text: CheckedText;
  readonly line: number | null;
  readonly onReveal: OnReveal;
}

/** A button that moves the editor to a line of a text. */
export function Line({ text, line, onReveal }: LineProps) {
  if (line === null) return null;
  return (
    <button type="button" class="link line" onClick={() => onReveal(text, line)}>
      line {line}
    </button>
  );
}
