/** A suggestion as YAML to apply, as JSON, and as a report. */
import { Document, isMap, isScalar, isSeq, type Pair, type Scalar, type YAMLMap } from 'yaml';
import type { CapabilityPolicy } from '../../api/capability-policy.ts';
import type { StatedOverride } from '../../evaluate/suggest.ts';
import type { Need } from '../../evaluate/suggest-needs.ts';
import { jsonText as jsonOf } from '../printable.ts';
import { documentText } from '../yaml-document.ts';
import { overrideLines, overrideText, ownersText, type Summarized, summaryLines } from './suggest-text.ts';

export interface Printed extends Summarized {
  readonly policy: CapabilityPolicy;
}

const MODES = {
  Audit: 'Mode Audit changes nothing: `kubectl get cappol` shows who would be refused, then write Enforce.',
  Warn: 'Mode Warn refuses nothing: whoever creates what it does not admit is warned.',
  Enforce: 'Mode Enforce refuses what it does not admit.',
};

/** The policy, each override with who needs it in comments. */
export function yamlText(printed: Printed): string {
  const { suggestion, policy } = printed;
  const document = new Document(policy);
  const { mode = 'Audit' } = policy.spec;
  document.commentBefore = comment([...summaryLines(printed), MODES[mode]]);
  for (const stated of suggestion.stated) {
    const pair = pairAt(document, ['spec', 'overrides', ...stated.path.split('.')]);
    (pair.key as Scalar).commentBefore = comment(linesOf(stated));
    annotateEntries(pair.value, stated.needs);
  }
  return documentText(document, { lineWidth: 0, indentSeq: false });
}

export function jsonText({ suggestion, policy, workloads }: Printed): string {
  const { considered, stated } = suggestion;
  const needs = (list: readonly Need[]) => list.map(({ workload, ...need }) => ({ ...workload, ...need }));
  const overrides = stated.map(({ path, value, needs: of }) => ({ path, value, neededBy: needs(of) }));
  const obstacles = needs(suggestion.obstacles);
  return `${jsonOf({ policy, workloads, considered, overrides, obstacles })}\n`;
}

export function reportText(printed: Printed): string {
  const overrides = printed.suggestion.stated.flatMap((stated) => [
    '',
    overrideText(stated),
    ...overrideLines(stated).map((line) => `  ${line}`),
  ]);
  return [...summaryLines(printed), ...overrides].map((line) => `${line}\n`).join('');
}

function linesOf(stated: StatedOverride): string[] {
  const [owners = '', ...texts] = overrideLines(stated);
  // Of a list, each entry has its own.
  const atEntries = Array.isArray(stated.value) && stated.needs.some(({ entry }) => entry !== undefined);
  return atEntries ? texts.map((text) => text.trimStart()) : [owners, ...texts];
}

function annotateEntries(node: unknown, needs: readonly Need[]): void {
  if (!isSeq(node)) return;
  for (const item of node.items) {
    const value = JSON.stringify(isScalar(item) ? item.value : isMap(item) ? item.toJSON() : item);
    const own = needs.filter(({ entry }) => entry !== undefined && JSON.stringify(entry) === value);
    if (own.length === 0) continue;
    if (isScalar(item)) item.comment = comment([ownersText(own)]);
    else if (isMap(item)) item.commentBefore = comment([ownersText(own)]);
  }
}

function pairAt(document: Document, path: readonly string[]): Pair {
  const map = document.getIn(path.slice(0, -1)) as YAMLMap;
  return map.items.find(({ key }) => isScalar(key) && key.value === path.at(-1)) as Pair;
}

function comment(lines: readonly string[]): string {
  return lines.map((line) => ` ${line}`).join('\n');
}
