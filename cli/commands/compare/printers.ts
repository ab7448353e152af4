/** The output formats of `cappol compare`. */
import { dump } from 'js-yaml';
import type { Trouble } from '../../../analysis/manifests/trouble.ts';
import { escapedControls, jsonText, printableTexts } from '../../../analysis/text/printable-values.ts';
import type { Io } from '../../command.ts';
import { MOST_CHARACTERS } from '../../output/markdown.ts';
import { terminalOf } from '../../output/terminal.ts';
import type { Output } from './choices.ts';
import { documentOf } from './document.ts';
import { historyMarkdown, historyText } from './history-text.ts';
import { githubText, type Remarks, sarifText } from './remark-printers.ts';
import { type Answer, remarksOf, troubleRemark } from './remarks.ts';
import { comparisonMarkdown, comparisonText, summaryLines } from './text.ts';

type Printer = (answer: Answer, troubles: readonly Trouble[], io: Io) => string;

/** @param troubles the warnings about the input */
export const PRINTERS: Readonly<Record<Output, Printer>> = {
  text: (answer, _, io) => withHistory(comparisonText(answer, terminalOf(io)), textOfHistory(answer, io)),
  json: (answer) => `${jsonText(documentOf(answer))}\n`,
  yaml: (answer) => escapedControls(dump(documentOf(answer), { lineWidth: -1, noRefs: true })),
  markdown: (answer) => {
    const text = comparisonMarkdown(answer);
    const { history, all = false } = answer;
    return withHistory(text, history && historyMarkdown(history, all, MOST_CHARACTERS - text.length));
  },
  github: (answer, troubles, io) => githubText(remarksAbout(answer, troubles), io.cwd),
  sarif: (answer, troubles, io) => sarifText(remarksAbout(answer, troubles), io.cwd),
};

function remarksAbout(answer: Answer, troubles: readonly Trouble[]): Remarks {
  const remarks = [...troubles.map(troubleRemark), ...remarksOf(answer)];
  return { remarks, summary: printableTexts(summaryLines(answer)), set: answer.names[1] };
}

function textOfHistory({ history, all = false }: Answer, io: Io): string | undefined {
  return history && historyText(history, all, terminalOf(io));
}

/**
 * The comparison of the policies. If the cluster changed, the text also lists the changes in the cluster, after the
 * comparison.
 */
function withHistory(comparison: string, history: string | undefined): string {
  return history === undefined ? comparison : `${comparison}\n${history}`;
}
