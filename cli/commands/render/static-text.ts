/** Prints the protection as YAML. A comment before each entry says what the entry protects. */
import { isNode, type Node } from 'yaml';
import { PROTECTION, type Protection, protectionObjects } from '../../../analysis/protection/protection.ts';
import { documentText, yamlDocument } from '../../../analysis/text/yaml-document.ts';

const STYLE = { lineWidth: 0, indentSeq: false };

const INTRODUCTION = [
  ' The protection of CapabilityPolicies. API servers read the protection from this file, so nobody can change the protection through the API.',
  ' `cappol render --static` wrote it. Keep the same file on every control plane node.',
].join('\n');

export function protectionText(protection: Protection): string {
  const [policy, binding] = protectionObjects(protection);
  const document = yamlDocument(policy);
  document.commentBefore = INTRODUCTION;
  const lists = {
    'matchConstraints.resourceRules': protection.rules,
    variables: protection.variables,
    validations: protection.validations,
  };
  for (const [path, entries] of Object.entries(lists)) {
    for (const [i, { why }] of entries.entries()) {
      const node = document.getIn(['spec', ...path.split('.'), i], true);
      if (isNode(node)) (node as Node).commentBefore = ` ${why}`;
    }
  }
  const bound = yamlDocument(binding);
  bound.commentBefore = ` Refuses, for every request that ${PROTECTION} matches.`;
  return [document, bound].map((one) => documentText(one, STYLE)).join('---\n');
}
