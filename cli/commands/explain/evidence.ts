/**
 * Prints the evidence about a container for users: a table of the capability checks, and how reliable the evidence is.
 */
import type { ContainerEvidence, SeenChecks } from '../../../analysis/evidence/compare.ts';
import { exampleText, otherSentences } from '../../../analysis/evidence/text.ts';
import { tableText } from '../../output/table.ts';
import type { Terminal } from '../../output/terminal.ts';
import { paragraph } from '../../output/wrap.ts';
import type { ExplainedContainer } from './manifests.ts';

const HEAD = ['EVIDENCE', 'CAPABILITY', 'CHECKS', 'FIRST', 'LAST', 'EXAMPLE'];

export function evidenceText({ evidence }: Pick<ExplainedContainer, 'evidence'>, terminal: Terminal): string {
  if (!evidence) return paragraph('evidence: none for this container', terminal);
  const rows = evidenceRows(evidence);
  const table = rows.length > 0 ? tableText(HEAD, rows, { terminal, optional: ['FIRST', 'EXAMPLE'] }) : '';
  const sentences = [unusedSentence(evidence), ...otherSentences(evidence)];
  return [table, ...sentences.map((line) => paragraph(line, terminal))].join('');
}

function evidenceRows({ used, refused, grantedElsewhere, noise }: ContainerEvidence): string[][] {
  return [
    ...used.map((one) => row('used', one)),
    ...refused.map((one) => row('refused', one)),
    ...grantedElsewhere.map((one) => row('used, not granted here', one)),
    ...noise.map((one) => row(`noise, ${one.outcome}`, one)),
  ];
}

function row(what: string, { capability, count, first, last, example }: SeenChecks): string[] {
  return [what, capability, String(count), first ?? '', last ?? '', example ? exampleText(example) : ''];
}

function unusedSentence({ granted, unused }: ContainerEvidence): string {
  if (granted.length === 0) return 'unused: none, since the container holds no capability';
  return unused.length === 0 ? 'unused: none' : `unused: ${unused.join(', ')}`;
}
