/** Finds texts that checks can distinguish: by equality, by a prefix, or after a function has changed the texts. */

import { TooMany } from './too-many.ts';

/** The constants with which checks compare a text. */
export interface Compared {
  /** The constants, one for each class. */
  readonly constants: readonly string[];
  /** All constants, grouped into the sets in which they are compared. */
  readonly sets: readonly (readonly string[])[];
  readonly prefixes: readonly string[];
  /** The functions that the checks apply to the text, with their arguments. */
  readonly functions: readonly string[];
  /** The texts that are preferred if a text must differ from all constants. The default is `other`. */
  readonly usual: readonly string[];
  /** Whether the API server accepts the text. */
  readonly isAccepted: (text: string) => boolean;
  /**
   * Texts to append to a prefix. By default, the texts are single characters and pairs of characters. The characters
   * are letters and digits.
   */
  readonly endings: (prefix: string) => readonly string[] | undefined;
}

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];
const CHARACTERS = [...LETTERS.toReversed(), ...'0123456789'];
/** Texts to append to a prefix. Many policies together may name all of the short texts. */
export const ENDINGS: readonly string[] = [
  ...CHARACTERS,
  ...CHARACTERS.flatMap((one) => CHARACTERS.map((other) => `${one}${other}`)),
];

/** A text that neither equals a constant nor begins with a constant. @throws TooMany */
export function otherText(
  constants: readonly string[],
  usual = 'other',
  isAccepted: (text: string) => boolean = () => true,
): string {
  const differs = (text: string) => isAccepted(text) && !constants.some((one) => one !== '' && text.startsWith(one));
  const texts = [usual, 'other', ...['other', usual].flatMap((text) => ENDINGS.map((start) => `${start}-${text}`))];
  const found = texts.find(differs);
  if (found === undefined) throw new TooMany('policies name the beginning of every text that was tried');
  return found;
}

/**
 * The constants, texts that begin with a prefix, and texts that begin with no constant. The result also has the texts
 * that functions turn into another text of the result.
 *
 * @throws TooMany
 */
export function variantsOf({ constants, sets, prefixes, functions, usual, isAccepted, endings }: Compared): string[] {
  const all = [...sets.flat(), ...prefixes];
  const others = usual.length === 0 ? [otherText(all)] : usual.map((text) => otherText(all, text, isAccepted));
  const longer = prefixes.map((prefix) => {
    const isLonger = (one: string) => one.length > prefix.length;
    const isLongest = (text: string) =>
      formsOf(text, functions).every((form) => !all.some((one) => isLonger(one) && form.startsWith(one)));
    const ending = (endings(prefix) ?? ENDINGS).find((one) => isLongest(prefix + one));
    if (ending === undefined) throw new TooMany(`policies name every text that was tried after ${prefix}`);
    return prefix + ending;
  });
  const lists = functions.includes('split(,)')
    ? prefixes.flatMap((prefix) => sets.flatMap((set) => ordersOf(prefix, set)))
    : [];
  const texts = [...others, ...constants, ...longer, ...lists];
  const change = (known: readonly string[], name: string) => [
    ...known,
    ...known.flatMap((text) => sourcesOf(text, name, { prefixes, all })),
  ];
  const odd = functions.some((name) => name.startsWith('matches')) ? [`${others[0]}ı`] : [];
  return [...functions.filter((name) => name !== 'split(,)').reduce<readonly string[]>(change, texts), ...odd];
}

/** The text itself. If a check replaces slashes by dots, the list also has the text with dots. */
function formsOf(text: string, functions: readonly string[]): readonly string[] {
  return functions.includes('split(/)') ? [text, dotted(text)] : [text];
}

function dotted(text: string): string {
  return text.replaceAll('/', '.');
}

interface Known {
  readonly prefixes: readonly string[];
  /** The constants and the prefixes. */
  readonly all: readonly string[];
}

/** The texts that the function with this name may turn into the given text. */
function sourcesOf(text: string, name: string, { prefixes, all }: Known): string[] {
  if (name === 'upperAscii()') return text === text.toLowerCase() ? [] : [text.toLowerCase()];
  if (name === 'split(/)') return slashed(text, all);
  const length = Number(/^substring\((\d+)\)$/.exec(name)?.[1]);
  return prefixes
    .filter((prefix) => prefix.length === length && !text.startsWith(prefix))
    .map((prefix) => prefix + text);
}

/**
 * Texts with slashes. If dots replace the slashes, each text equals the given text. A check may also compare the
 * beginning of the name itself. Some of the texts therefore begin with a known text. In this known text, dots and
 * slashes may be mixed.
 */
function slashed(text: string, all: readonly string[]): string[] {
  const form = dotted(text);
  const ends = (end: string) => [end, end.replaceAll('.', '/')];
  const beginnings = all.filter((one) => one.includes('/') && form.startsWith(dotted(one)));
  const mixed = beginnings.flatMap((one) => ends(form.slice(one.length)).map((end) => one + end));
  return [...new Set([form.replaceAll('.', '/'), ...mixed])].filter((one) => one !== text);
}

/**
 * Lists to try. Each list follows the prefix. A list contains the items of a set in order, in another order, or twice.
 * Other lists lack one of the items, or contain another item.
 */
function ordersOf(prefix: string, items: readonly string[]): string[] {
  if (items.length < 2) return [];
  const others = [items.toReversed(), [...items, ...items], items.slice(1), [...items.slice(1), items[1] ?? '']];
  return [items, ...others, [...items, 'other']].map((list) => prefix + list.join(','));
}
