/** Writes values as YAML that is safe to print on a terminal. kubectl reads the YAML back as the same values. */
import { Document, type ToStringOptions, visit } from 'yaml';
import { escapedControls, hasControls } from './printable-values.ts';

/**
 * A document to which comments can be added. The document has no aliases, because readers would have to search for the
 * anchors.
 */
export function yamlDocument(value: unknown): Document {
  // kubectl reads YAML 1.1. In YAML 1.1, `no` and `1_000` are strings only if they are in quotes.
  return new Document(value, { compat: 'yaml-1.1', aliasDuplicateObjects: false });
}

export function documentText(document: Document, options: ToStringOptions): string {
  visit(document, {
    Scalar: (_key, scalar) => {
      // Only a scalar in double quotes can contain escapes.
      if (typeof scalar.value === 'string' && hasControls(scalar.value)) scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return escapedControls(document.toString(options));
}
