/** A YAML document as text that is safe to print on a terminal and parses to the same values. */
import { type Document, type ToStringOptions, visit } from 'yaml';
import { escapedControls, hasControls } from './printable.ts';

export function documentText(document: Document, options: ToStringOptions): string {
  visit(document, {
    Scalar: (_key, scalar) => {
      // Only a double-quoted scalar has escapes.
      if (typeof scalar.value === 'string' && hasControls(scalar.value)) scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return escapedControls(document.toString(options));
}
