/**
 * Prints what the namespace label for admin access to devices permits. Also prints which namespaces have the label, and
 * which policies guard the label.
 */
import type { ExplainedLabel, GuardingPolicy } from '../../../analysis/explain/admin-access.ts';
import type { ExplainedTopic } from '../../../analysis/explain/explained.ts';
import { counted } from '../../../operator/text/wording.ts';
import { tableText } from '../../output/table.ts';
import type { Terminal } from '../../output/terminal.ts';
import { paragraph } from '../../output/wrap.ts';
import { termsText } from './terms.ts';

export function labelText({ name, value, permits, setBy, guardedBy, sources }: ExplainedLabel, terminal: Terminal) {
  const terms = [
    ['permits', permits],
    ['set by', setBy],
    ['guarded by', guardedBy],
    ['source', sources.join('; ')],
  ] as const;
  return termsText(`${name}: "${value}" (a label of namespaces)`, terms, terminal);
}

/** @param where the namespaces that were read, as text such as `all namespaces` */
export function labelledText(topic: ExplainedTopic, where: string, terminal: Terminal): string {
  const { namespaces = [] } = topic;
  const guards = paragraph(guardsText(topic, where), terminal);
  if (namespaces.length === 0)
    return `${paragraph(`${topic.name}: no namespace in ${where} has the label`, terminal)}${guards}`;
  const rows = namespaces.map(({ namespace, granted, guardedBy }) => [
    namespace,
    granted ? 'granted' : 'not granted',
    guardedBy.join(', ') || '-',
  ]);
  const head = `${topic.name}: set on ${counted(namespaces.length, 'namespace')} in ${where}, ${namespaces.filter(({ granted }) => granted).length} with admin access`;
  const table = tableText(['NAMESPACE', 'ADMIN ACCESS', 'GUARDED BY'], rows, { terminal });
  return `${paragraph(head, terminal)}${guards}\n${table}`;
}

/** A sentence for standard error. The sentence says which policies guard the label, and in how many namespaces. */
export function guardsText({ guards = [] }: ExplainedTopic, where: string): string {
  if (guards.length === 0) return `no policy guards the label in ${where}: write adminAccessLabel: Guarded`;
  const text = ({ policy, namespaces }: GuardingPolicy) => `${policy} in ${counted(namespaces, 'namespace')}`;
  return `guarded by ${guards.map(text).join(', ')}`;
}
