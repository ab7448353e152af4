/** The protection as YAML, with a comment before each entry that says what it protects. */
import { Document, isNode, type Node } from 'yaml';
import { PROTECTION, type Protection, protectionObjects } from '../../../operator/compile/protection.ts';
import { documentText } from '../../output/yaml-document.ts';

/** An API server's parser knows aliases; people would have to look for what they stand for. */
const NO_ALIASES = { aliasDuplicateObjects: false };
const STYLE = { lineWidth: 0, indentSeq: false };

const INTRODUCTION = [
  ' The protection of CapabilityPolicies. API servers read it from this file, so nobody can change it through the API.',
  ' `cappol render --static` wrote it. Keep the same file on every control plane node.',
].join('\n');

export function protectionText(protection: Protection): string {
  const [policy, binding] = protectionObjects(protection);
  const document = new Document(policy, NO_ALIASES);
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
  const bound = new Document(binding, NO_ALIASES);
  bound.commentBefore = ` Refuses, for every request that ${PROTECTION} matches.`;
  return [document, bound].map((one) => documentText(one, STYLE)).join('---\n');
}
