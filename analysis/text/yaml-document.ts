/** Values as YAML that is safe to print on a terminal, and that kubectl reads as the same values. */
import { Document, type ToStringOptions, visit } from 'yaml';
import { escapedControls, hasControls } from './printable-values.ts';

/** To add comments to. People would have to look for what an alias stands for, so it has none. */
export function yamlDocument(value: unknown): Document {
  // kubectl reads YAML 1.1, where `no` and `1_000` without quotes are no texts.
  return new Document(value, { compat: 'yaml-1.1', aliasDuplicateObjects: false });
}

export function documentText(document: Document, options: ToStringOptions): string {
  visit(document, {
    Scalar: (_key, scalar) => {
      // Only a double-quoted scalar has escapes.
      if (typeof scalar.value === 'string' && hasControls(scalar.value)) scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return escapedControls(document.toString(options));
}
