/** Writes YAML in the style that people use. */
import { documentText, yamlDocument } from '../../analysis/text/yaml-document.ts';

export function yamlText(value: unknown): string {
  return documentText(yamlDocument(value), { lineWidth: 0, indentSeq: false });
}
