/** Finds texts that checks can distinguish: by equality, by a prefix, or after a function has changed the texts. */

/** The constants with which checks compare a text. */
export interface Compared {
  /** The constants, one for each class. */
  readonly constants: readonly string[];
  /** All constants, grouped into the sets in which they are compared. */
  readonly sets: readonly (readonly string[])[];
  readonly prefixes: readonly string[];
  /** The functions that the checks apply to the text, with their arguments. */
  readonly functions: readonly string[];
  /** If a text must differ from all constants, these texts are preferred. The default is `other`. */
  readonly usual: readonly string[];
  /** Whether the API server accepts the text. */
  readonly isAccepted: (text: string) => boolean;
  /** Texts to append to a prefix. If the list is empty, any letter makes an accepted text. */
  readonly endings: (prefix: string) => readonly string[];
}

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];

/** A text that neither equals a constant nor begins with a constant. */
export function otherText(
  constants: readonly string[],
  usual = 'other',
  isAccepted: (text: string) => boolean = () => true,
): string {
  const differs = (text: string) => isAccepted(text) && !constants.some((one) => one !== '' && text.startsWith(one));
  const texts = [usual, 'other', ...['other', usual].flatMap((text) => LETTERS.map((letter) => `${letter}-${text}`))];
  return texts.find(differs) ?? '~other';
}

/**
 * The constants, texts that begin with a prefix, and texts that begin with no constant. The result also has the texts
 * that functions turn into another text of the result.
 */
export function variantsOf({ constants, sets, prefixes, functions, usual, isAccepted, endings }: Compared): string[] {
  const all = [...sets.flat(), ...prefixes];
  const others = usual.length === 0 ? [otherText(all)] : usual.map((text) => otherText(all, text, isAccepted));
  const isFree = (text: string) => !all.some((one) => one.startsWith(text));
  const longer = prefixes.map((prefix) => {
    const known = endings(prefix);
    const isLongest = (text: string) => !all.some((one) => one.length > prefix.length && text.startsWith(one));
    const ending =
      known.length > 0
        ? known.find((one) => isLongest(prefix + one))
        : LETTERS.toReversed().find((letter) => isFree(prefix + letter));
    return prefix + (ending ?? '~');
  });
  const lists = functions.includes('split(,)')
    ? prefixes.flatMap((prefix) => sets.flatMap((set) => ordersOf(prefix, set)))
    : [];
  const texts = [...others, ...constants, ...longer, ...lists];
  const change = (known: readonly string[], name: string) => [
    ...known,
    ...known.flatMap((text) => sourcesOf(text, name, prefixes)),
  ];
  const odd = functions.some((name) => name.startsWith('matches')) ? [`${others[0]}ı`] : [];
  return [...functions.filter((name) => name !== 'split(,)').reduce<readonly string[]>(change, texts), ...odd];
}

/** The texts that the function with this name may turn into the given text. */
function sourcesOf(text: string, name: string, prefixes: readonly string[]): string[] {
  if (name === 'upperAscii()') return text === text.toLowerCase() ? [] : [text.toLowerCase()];
  if (name === 'split(/)') return text.includes('.') ? [text.replaceAll('.', '/')] : [];
  const length = Number(/^substring\((\d+)\)$/.exec(name)?.[1]);
  return prefixes
    .filter((prefix) => prefix.length === length && !text.startsWith(prefix))
    .map((prefix) => prefix + text);
}

/**
 * Lists to try. Each list follows the prefix. A list contains the items of a set in order, in another order, twice,
 * without one item, or with another item.
 */
function ordersOf(prefix: string, items: readonly string[]): string[] {
  if (items.length < 2) return [];
  const others = [items.toReversed(), [...items, ...items], items.slice(1), [...items.slice(1), items[1] ?? '']];
  return [items, ...others, [...items, 'other']].map((list) => prefix + list.join(','));
}
