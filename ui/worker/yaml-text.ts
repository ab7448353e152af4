/** YAML as people write it. */
import { Document } from 'yaml';
import { documentText } from '../../cli/output/yaml-document.ts';

export function yamlText(value: unknown): string {
  // kubectl reads YAML 1.1, where `no` without quotes is false.
  const document = new Document(value, { compat: 'yaml-1.1', aliasDuplicateObjects: false });
  return documentText(document, { lineWidth: 0, indentSeq: false });
}
