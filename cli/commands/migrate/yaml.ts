/**
 * Prints a migration as YAML that can be applied. Each line has a comment with its source field, and the notes are
 * above the policy.
 */
import { isCollection, isMap, isNode, isScalar, type Node } from 'yaml';
import type { Migration, Note, RbacObject } from '../../../analysis/migrate/migrate.ts';
import { fieldPath } from '../../../analysis/schema/paths.ts';
import { documentText, yamlDocument } from '../../../analysis/text/yaml-document.ts';
import type { CapabilityPolicy } from '../../../operator/api/capability-policy.ts';
import { bounded } from '../../../operator/text/printable.ts';
import { LONGEST, noteText } from './output.ts';

const STYLE = { lineWidth: 0, indentSeq: false, flowCollectionPadding: false };

export function yamlText(migration: Migration): string {
  const { policies, rbac, notes, origins } = migration;
  const told = new Set<Note>();
  const documents = policies.map((policy) => {
    const name = policy.metadata?.name ?? '';
    const own = notes.filter(({ object, value }) => object.endsWith(`/${name}`) || value === name);
    for (const note of own) told.add(note);
    return policyDocument(policy, origins[name] ?? {}, own);
  });
  const others = notes.filter((note) => !told.has(note));
  return [...(others.length > 0 ? [`${comment(others)}\n`] : []), ...[...documents, ...rbac.map(bindingDocument)]].join(
    '---\n',
  );
}

function policyDocument(policy: CapabilityPolicy, origins: Readonly<Record<string, string>>, notes: readonly Note[]) {
  const document = yamlDocument(policy);
  for (const [path, from] of Object.entries(origins)) {
    const node = document.getIn(fieldPath(path), true);
    if (isNode(node)) annotate(node, from);
  }
  const selector = document.getIn(['spec', 'namespaceSelector'], true);
  if (isMap(selector)) selector.flow = true;
  return `${notes.length > 0 ? `${comment(notes)}\n` : ''}${documentText(document, STYLE)}`;
}

/**
 * Adds a comment with the source field to a value in the YAML. The function writes the value on one line. On one line,
 * the comment clearly belongs to the whole value.
 */
function annotate(node: Node, from: string): void {
  if (isCollection(node)) node.flow = true;
  if (isCollection(node) || isScalar(node)) node.comment = ` ${bounded(from, LONGEST)}`;
}

function bindingDocument(binding: RbacObject): string {
  const document = yamlDocument(binding);
  for (const path of [['metadata'], ['roleRef']]) {
    const node = document.getIn(path, true);
    if (isMap(node)) node.flow = true;
  }
  for (const [i] of binding.subjects.entries()) {
    const node = document.getIn(['subjects', i], true);
    if (isMap(node)) node.flow = true;
  }
  return documentText(document, STYLE);
}

function comment(notes: readonly Note[]): string {
  return notes.map((note) => `# ${note.exact ? 'Note' : 'Not exact'}: ${noteText(note)}.`).join('\n');
}
