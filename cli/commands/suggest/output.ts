/** Prints suggested policies as YAML, as JSON, or as a report. Users can apply the YAML. */
import { type Document, isMap, isScalar, isSeq, type Pair, type Scalar, type YAMLMap } from 'yaml';
import type { ComparedWorkload } from '../../../analysis/evidence/used-capabilities.ts';
import type { AddedToWorkload } from '../../../analysis/suggest/added.ts';
import type { Exception } from '../../../analysis/suggest/exceptions.ts';
import type { Need, StatedOverride } from '../../../analysis/suggest/needs.ts';
import type { SuggestedPolicy } from '../../../analysis/suggest/policies.ts';
import type { Suggestion } from '../../../analysis/suggest/suggest.ts';
import { jsonText as jsonOf } from '../../../analysis/text/printable-values.ts';
import { documentText, yamlDocument } from '../../../analysis/text/yaml-document.ts';
import type { CapabilityPolicy, Mode } from '../../../operator/api/capability-policy.ts';
import { printable } from '../../../operator/text/printable.ts';
import {
  addedLines,
  besideLines,
  evidenceLines,
  introductionLines,
  nothingLine,
  overrideLines,
  overrideText,
  ownersText,
  policyLines,
  refusedLines,
} from './text.ts';

export interface Printed {
  readonly policies: readonly SuggestedPolicy[];
  readonly suggestions: readonly Suggestion[];
  /** The origin of the workloads as text, such as `namespace net`. */
  readonly where: string;
  /** The containers that pods of a cluster have and their templates lack. */
  readonly added?: readonly AddedToWorkload[];
  /** The results of comparing workloads with evidence. If the user did not give --used, the field is absent. */
  readonly compared?: readonly ComparedWorkload[] | undefined;
}

const MODES: Readonly<Record<Mode, string>> = {
  Audit:
    'Mode Audit refuses no pod: `kubectl get cappol` shows how many workloads would be refused. Then write mode: Enforce.',
  Warn: 'Mode Warn refuses no pod. If the policy does not admit a pod, the creator of the pod gets a warning.',
  Enforce: 'Mode Enforce refuses every pod that the policy does not admit.',
};

/** The policies as YAML. Comments name the workload that needs each override. */
export function yamlText({ policies, suggestions, where, added = [], compared }: Printed): string {
  const modes = new Set(policies.map(({ policy }) => policy.spec.mode ?? 'Audit'));
  const introduction = [
    ...(policies.length === 0 ? [nothingLine(where, suggestions)] : []),
    ...[...modes].map((mode) => MODES[mode]),
    ...introductionLines(policies),
    ...besideLines(suggestions, policies),
    ...addedLines(added),
    ...refusedLines(suggestions),
    ...evidenceLines(compared),
  ];
  const heading = `${comment(introduction).replaceAll(/^/gm, '#')}\n`;
  return policies.length === 0 ? heading : `${heading}\n${policies.map(policyText).join('---\n')}`;
}

function policyText(suggested: SuggestedPolicy): string {
  const document = yamlDocument(suggested.policy);
  document.commentBefore = comment(policyLines(suggested));
  for (const { at, overrides } of statedIn(suggested)) {
    for (const stated of overrides) {
      const pair = pairAt(document, ['spec', ...at, ...stated.path.split('.')]);
      (pair.key as Scalar).commentBefore = comment(linesOf(stated));
      annotateEntries(pair.value, stated.needs);
    }
  }
  return documentText(document, { lineWidth: 0, indentSeq: false });
}

export function jsonText({ policies, suggestions, added = [], compared }: Printed): string {
  const namespaces = suggestions.map(({ namespace, level, workloads, refused, admitted, beside }) => ({
    namespace,
    level,
    workloads,
    ...(refused.length > 0 && { refused }),
    admitted,
    ...(beside && { beside: { mode: beside.mode, policies: beside.policies, admitted: beside.admitted } }),
    policies: policies.filter((one) => one.suggestions.some((own) => own.namespace === namespace)).map(aboutPolicy),
  }));
  return `${jsonOf({
    policies: policies.map(({ policy }) => policy),
    namespaces,
    ...(added.length > 0 && { added: added.map(({ workload, added: containers }) => ({ ...workload, containers })) }),
    ...(compared && { evidence: compared }),
  })}\n`;
}

function aboutPolicy(suggested: SuggestedPolicy) {
  const { policy, exception } = suggested;
  const [whole, ...containers] = statedIn(suggested).map(({ names, overrides }) => ({
    names,
    overrides: overrides.map(({ path, value, needs }) => ({ path, value, neededBy: needs.map(flat) })),
  }));
  return {
    name: nameOf(policy),
    ...(exception && aboutException(exception)),
    overrides: whole?.overrides ?? [],
    ...(containers.length > 0 && { containers }),
  };
}

function aboutException({ workloads, serviceAccounts, merged, sharing, obstacles }: Exception) {
  return { workloads, serviceAccounts, merged, sharing, obstacles: obstacles.map(flat) };
}

function flat({ workload, ...need }: Need) {
  return { ...workload, ...need };
}

export function reportText({ policies, suggestions, where, added = [], compared }: Printed): string {
  const lines = policies.flatMap((suggested) => [
    '',
    `Policy ${nameOf(suggested.policy)}`,
    ...policyLines(suggested).map((line) => `  ${line}`),
    ...statedIn(suggested).flatMap(({ names, overrides }) => [
      ...(names.length > 0 ? [`  only for containers ${names.join(', ')}:`] : []),
      ...overrides.flatMap((stated) => [
        `  ${overrideText(stated)}`,
        ...overrideLines(stated).map((line) => `    ${line}`),
      ]),
    ]),
  ]);
  const introduction = [
    ...(policies.length === 0 ? [nothingLine(where, suggestions)] : []),
    ...introductionLines(policies),
    ...besideLines(suggestions, policies),
    ...addedLines(added),
    ...refusedLines(suggestions),
    ...evidenceLines(compared),
  ];
  return [...introduction, ...(introduction.length > 0 ? lines : lines.slice(1))]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

interface StatedBlock {
  /** The path of the overrides in the policy, starting with `spec`. */
  readonly at: readonly (string | number)[];
  /** The names of the containers. The list is empty if the overrides apply to the whole pod. */
  readonly names: readonly string[];
  readonly overrides: readonly StatedOverride[];
}

/**
 * The blocks of overrides in a policy. The overrides for the whole pod come first, and then the overrides for
 * containers.
 */
function statedIn({ suggestions: [first, ...others], exception, enforces }: SuggestedPolicy): readonly StatedBlock[] {
  if (enforces !== undefined) return [];
  const own = others.length === 0 ? (first?.stated ?? []) : [];
  const stated = exception ? (exception.byContainer ?? exception).stated : own;
  const containers = exception?.byContainer?.containers ?? [];
  return [
    { at: ['overrides'], names: [], overrides: stated },
    ...containers.map((entry, i) => ({
      at: ['containers', i, 'overrides'],
      names: entry.names,
      overrides: entry.stated,
    })),
  ];
}

function nameOf({ metadata }: CapabilityPolicy): string {
  return metadata?.name ?? '';
}

function linesOf(stated: StatedOverride): string[] {
  const [owners = '', ...texts] = overrideLines(stated);
  // If a need names an entry of a list, this entry gets its own comment.
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

function pairAt(document: Document, path: readonly (string | number)[]): Pair {
  const map = document.getIn(path.slice(0, -1)) as YAMLMap;
  return map.items.find(({ key }) => isScalar(key) && key.value === path.at(-1)) as Pair;
}

/**
 * The lines as the text of a YAML comment. A line break in a name is escaped, because a line break would end the
 * comment.
 */
function comment(lines: readonly string[]): string {
  return lines.map((line) => ` ${printable(line)}`).join('\n');
}
