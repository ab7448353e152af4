/** The formats of `cappol compare`. */
import { dump } from 'js-yaml';
import { escapedControls, jsonText } from '../../../analysis/text/printable-values.ts';
import type { Io } from '../../command.ts';
import { MOST_CHARACTERS } from '../../output/markdown.ts';
import { terminalOf } from '../../output/terminal.ts';
import type { OUTPUTS } from './choices.ts';
import { documentOf, type Printed } from './document.ts';
import { historyMarkdown, historyText } from './history-text.ts';
import { comparisonMarkdown, comparisonText } from './text.ts';

type Printer = (printed: Printed, io: Io) => string;

export const PRINTERS: Readonly<Record<(typeof OUTPUTS)[number], Printer>> = {
  text: (printed, io) => withHistory(comparisonText(printed, terminalOf(io)), textOfHistory(printed, io)),
  json: (printed) => `${jsonText(documentOf(printed))}\n`,
  yaml: (printed) => escapedControls(dump(documentOf(printed), { lineWidth: -1, noRefs: true })),
  markdown: (printed) => {
    const text = comparisonMarkdown(printed);
    const { history, all = false } = printed;
    return withHistory(text, history && historyMarkdown(history, all, MOST_CHARACTERS - text.length));
  },
};

function textOfHistory({ history, all = false }: Printed, io: Io): string | undefined {
  return history && historyText(history, all, terminalOf(io));
}

/** The comparison of the policies, followed by the changes in the cluster if there are any. */
function withHistory(comparison: string, history: string | undefined): string {
  return history === undefined ? comparison : `${comparison}\n${history}`;
}
