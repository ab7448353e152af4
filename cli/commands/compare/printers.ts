/** The formats of `cappol compare`. */
import { dump } from 'js-yaml';
import type { Printed } from '../../../analysis/compare/sentences.ts';
import { escapedControls, jsonText } from '../../../analysis/text/printable-values.ts';
import type { Io } from '../../command.ts';
import { terminalOf } from '../../output/terminal.ts';
import type { OUTPUTS } from './choices.ts';
import { documentOf } from './document.ts';
import { comparisonMarkdown, comparisonText } from './text.ts';

type Printer = (printed: Printed, io: Io) => string;

export const PRINTERS: Readonly<Record<(typeof OUTPUTS)[number], Printer>> = {
  text: (printed, io) => comparisonText(printed, terminalOf(io)),
  json: (printed) => `${jsonText(documentOf(printed))}\n`,
  yaml: (printed) => escapedControls(dump(documentOf(printed), { lineWidth: -1, noRefs: true })),
  markdown: comparisonMarkdown,
};
