/** Converts between the text of a field's path, `containers[0].securityContext`, and its keys and indices. */

/** The path of a field: keys and indices from the document's root. */
export type FieldPath = readonly (string | number)[];

const STEP = /\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g;

export function fieldPath(text: string): FieldPath {
  return [...text.matchAll(STEP)].map(([, index, quoted, key]) =>
    index !== undefined ? Number(index) : quoted !== undefined ? (JSON.parse(`"${quoted}"`) as string) : (key ?? ''),
  );
}

/** The text of a path. A key with dots, such as the key of a label, is written in quotes. */
export function pathText(path: FieldPath): string {
  return path
    .map((step) => {
      if (typeof step === 'number') return `[${step}]`;
      return /^[\w$-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
    })
    .join('')
    .replace(/^\./, '');
}
