/**
 * Converts the path of a field from text, such as `containers[0].securityContext`, to a list of keys and indexes, and
 * back.
 */

/** The path of a field: a list of keys and indexes that starts at the root of the document. */
export type FieldPath = readonly (string | number)[];

const STEP = /\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g;

export function fieldPath(text: string): FieldPath {
  return [...text.matchAll(STEP)].map(([, index, quoted, key]) =>
    index !== undefined ? Number(index) : quoted !== undefined ? (JSON.parse(`"${quoted}"`) as string) : (key ?? ''),
  );
}

/** The text of a path. A key that contains dots, such as the key of a label, is written in quotes. */
export function pathText(path: FieldPath): string {
  return path
    .map((step) => {
      if (typeof step === 'number') return `[${step}]`;
      return /^[\w$-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
    })
    .join('')
    .replace(/^\./, '');
}
