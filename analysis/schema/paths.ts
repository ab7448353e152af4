/** Fields by name: `containers[0].securityContext` ↔ its keys and indices. */

/** Keys and indices from the document's root. */
export type FieldPath = readonly (string | number)[];

const STEP = /\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g;

export function fieldPath(text: string): FieldPath {
  return [...text.matchAll(STEP)].map(([, index, quoted, key]) =>
    index !== undefined ? Number(index) : quoted !== undefined ? (JSON.parse(`"${quoted}"`) as string) : (key ?? ''),
  );
}

/** A key with dots, such as that of a label, is written in quotes. */
export function pathText(path: FieldPath): string {
  return path
    .map((step) => {
      if (typeof step === 'number') return `[${step}]`;
      return /^[\w$-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
    })
    .join('')
    .replace(/^\./, '');
}
