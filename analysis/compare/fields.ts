/**
 * Lists the values of pod fields that checks can distinguish. If no check distinguishes two values, one of the two
 * values is enough. The list therefore has each constant of the checks, a text that begins with the constant, and one
 * other value.
 */
import { KUBERNETES_FIELDS } from '../manifests/kubernetes-schema.ts';
import {
  ANNOTATION_VALUES,
  acceptedAs,
  acceptedNumbers,
  acceptedValues,
  COMPANIONS,
  endingsOf,
  isAcceptedObject,
  isAcceptedText,
  ONE_OF,
  REQUIRED,
  usualTexts,
} from './kubernetes.ts';
import { isRoot, keysOf, sizeOf, typeOf, valueOfUnknown } from './paths.ts';
import { APPENDED, type Constant, type Reads } from './reads.ts';
import { type Compared, otherText, variantsOf } from './texts.ts';
import { severalOf } from './together.ts';
import { TooMany } from './too-many.ts';
import { unknownValues } from './unknown-values.ts';

/** The maximum number of values of a single field or object. */
const MOST_VALUES = 100_000;

/** The maximum number of unknown fields of an object that are combined with each other. */
const MOST_UNKNOWN = 12;

/** The constants with which checks compare the values at some paths. */
interface Pool {
  readonly sets: Map<string, readonly Constant[]>;
  /**
   * Checks may require that a list has the constants of certain sets in `sets`. `required` has the keys of these sets.
   */
  readonly required: Set<string>;
  readonly prefixes: Set<string>;
}

function emptyPool(): Pool {
  return { sets: new Map(), required: new Set(), prefixes: new Set() };
}

/** The fields that some checks read, and the values that these checks can distinguish. */
export class Fields {
  readonly #paths = new Set<string>();
  readonly #presence = new Set<string>();
  readonly #functions = new Map<string, Set<string>>();
  readonly #poolOf = new Map<string, string>();
  readonly #pools = new Map<string, Pool>();
  readonly #known = new Map<string, readonly unknown[]>();

  readonly #isBeside: (field: string) => boolean;
  readonly #together: (list: string) => number;

  /**
   * @param isBeside says whether a field of the pod is examined together with the fields in `reads`
   * @param together the maximum number of items that a list of the given path combines
   */
  constructor(reads: Iterable<Reads>, isBeside: (field: string) => boolean, together: (list: string) => number) {
    this.#isBeside = isBeside;
    this.#together = together;
    for (const { paths, presence, relations, functions } of reads) {
      for (const path of paths) this.#paths.add(path);
      for (const path of presence) this.#presence.add(path);
      for (const [path, name] of functions) {
        const names = this.#functions.get(path) ?? new Set();
        this.#functions.set(path, names.add(name));
      }
      for (const { paths: compared, sets, required, isPrefix } of relations) {
        const pool = this.#join(compared);
        for (const set of sets) {
          const key = JSON.stringify(set.toSorted());
          pool.sets.set(key, set);
          if (required) pool.required.add(key);
          if (isPrefix) for (const one of set) pool.prefixes.add(`${one}`);
        }
      }
    }
  }

  /**
   * The values at the path. Only one of several equivalent values is kept. If the field may be absent, undefined is a
   * value, too.
   */
  values(path: string): readonly unknown[] {
    const known = this.#known.get(path) ?? this.#valuesAt(path);
    this.#known.set(path, known);
    if (known.length > MOST_VALUES) throw new TooMany(`more than ${MOST_VALUES} values of ${path}`);
    return known;
  }

  /** Lengths of a list that are just above a limit of the checks. */
  lengths(path: string): readonly number[] {
    const limits = this.#constants(sizeOf(path)).filter((limit) => typeof limit === 'number' && limit > 0) as number[];
    const most = Math.max(0, ...this.#appended(sizeOf(path)));
    const lengths = limits.flatMap((limit) => Array.from({ length: most + 1 }, (_, less) => limit + 1 - less));
    return [...new Set(lengths)].filter((length) => length > 1);
  }

  /** @param only the paths below the object that are included; by default, all paths */
  object(path: string, only: (path: string) => boolean = () => true): readonly (Fieldset | undefined)[] {
    const type = typeOf(path);
    const required = REQUIRED[type] ?? {};
    const read = this.#children(path).filter((name) => only(`${path}.${name}`));
    const allowed = this.#allowedKeys(path);
    const names = [...new Set([...read, ...this.#companions(path), ...allowed])];
    const children = names.map((name) => {
      if (allowed.includes(name)) return [undefined, ...this.unknownValues(path, name)];
      const values = this.values(`${path}.${name}`);
      return name in required ? values.filter((value) => value !== undefined) : values;
    });
    const oneOf = ONE_OF[type];
    const combined = oneOf ? oneAtATime(names, children) : product(names, children);
    const isItem = path.endsWith('[]') || isRoot(path);
    const mayBeEmpty = isItem || this.#presence.has(path) || this.#isCompanion(path);
    const objects = combined
      .filter((own) => mayBeEmpty || Object.keys(own).length > 0)
      .map((own) => ({ ...required, ...own }))
      .filter((own) => isAcceptedObject(type, own));
    const unknown = allowed.length > 0 ? [] : this.#withUnknownKeys(path, type);
    return [...(isItem ? [] : [undefined]), ...objects, ...unknown];
  }

  /**
   * The unknown fields of an object, if some policy allows unknown fields of this object. In this case, a pod may need
   * an unknown field together with other fields of the object. If no policy allows unknown fields of this object, a
   * pod with an unknown field can have this field in any other object.
   *
   * @throws TooMany
   */
  #allowedKeys(path: string): readonly string[] {
    if (isRoot(path)) return [];
    const keys = this.unknownKeys(path);
    // No policy contains the first name in `keys`.
    if (keys.length < 2) return [];
    if (keys.length > MOST_UNKNOWN) throw new TooMany(`${keys.length} unknown fields of ${path}`);
    return keys;
  }

  /** The fields that an object needs for some values of its field `type`. */
  #companions(path: string): readonly string[] {
    const companions = Object.entries(COMPANIONS[typeOf(path)] ?? {});
    return companions.filter(([, type]) => this.values(`${path}.type`).includes(type)).map(([name]) => name);
  }

  #isCompanion(path: string): boolean {
    const { parent = '', name = '' } = PARENT.exec(path)?.groups ?? {};
    return parent !== '' && this.#companions(parent).includes(name);
  }

  #valuesAt(path: string): readonly unknown[] {
    const type = typeOf(path);
    if (type === 'b') return [undefined, true, false];
    if (type === 'i' || type === 'n') return [undefined, ...this.#numbers(path)];
    if (type === 's') return [undefined, ...this.#texts(path)];
    if (type.startsWith('[')) return this.#lists(path);
    return type === 'Volume' || type === 'VolumeProjection' ? this.#sources(path, type) : this.object(path);
  }

  #numbers(path: string): number[] {
    const [min, max] = acceptedNumbers(path);
    const around = this.#constants(path).flatMap((one) => (typeof one === 'number' ? [one - 1, one, one + 1] : []));
    return [...new Set([...around, 1])].filter((one) => one >= min && one <= max).sort((a, b) => a - b);
  }

  #texts(path: string): string[] {
    const accepted = acceptedValues(path, this.#constants(path));
    const constants = this.#representatives(path).filter((one) => typeof one === 'string' && one !== '') as string[];
    if (accepted) {
      const lost = this.#constants(path).find(
        (one) => typeof one === 'string' && /^[A-Za-z]+$/.test(one) && !accepted.includes(one),
      );
      if (lost !== undefined) throw new TooMany(`the value ${lost} of ${path} is not known`);
      const [other] = accepted.filter((value) => !this.#constants(path).includes(value));
      return [...accepted.filter((value) => constants.includes(value)), ...(other === undefined ? [] : [other])];
    }
    const annotations = path.includes('@') ? ['', ...ANNOTATION_VALUES] : [];
    return [...new Set([...annotations, ...variantsOf(this.#compared(path, constants))])];
  }

  #compared(path: string, constants: readonly string[]): Compared {
    const { sets: compared, prefixes } = this.#poolAt(path);
    const sets = [...compared.values()].map((set) => set.filter((one) => typeof one === 'string'));
    const { parent = '', name = '' } = PARENT.exec(path)?.groups ?? {};
    const usual = usualTexts(path, this.#isBeside);
    const required = parent === '' ? undefined : REQUIRED[typeOf(parent)]?.[name];
    return {
      constants,
      sets,
      prefixes: [...prefixes].filter((one) => one !== ''),
      functions: [...(this.#functions.get(path) ?? [])],
      usual: usual.length === 0 && typeof required === 'string' ? [required] : usual,
      isAccepted: (text) => isAcceptedText(path, text),
      endings: (prefix) => endingsOf(path, prefix),
    };
  }

  /**
   * Lists with one item. If checks require items, the result also has two other kinds of lists. A list of the first
   * kind lacks one or two required items. A list of the second kind has all required items and one other item. The
   * result also has lists of several items, because several policies may each refuse one of the items.
   */
  #lists(path: string): readonly unknown[] {
    const items = this.values(`${path}[]`).filter((item) => item !== undefined);
    // Items with the same name and different unknown fields would have to be in one list.
    if (path.startsWith('spec.') && this.#allowedKeys(`${path}[]`).length > 2)
      throw new TooMany(`several unknown fields of the items of ${path}`);
    const long = this.lengths(path).flatMap((length) => items.map((item) => repeated(item, length)));
    const several = this.#severalOf(path, items);
    const required = this.#required(`${path}[]`);
    // One policy may require some items, while another policy refuses one more item.
    const beside = required.length === 0 ? [] : items.filter((item) => !required.includes(item as Constant));
    const lacking = this.#lacking(`${path}[]`, required);
    const padded = this.lengths(path).flatMap((length) =>
      [required, ...lacking].filter((list) => list.length > 0).map((list) => paddedTo(list, length)),
    );
    return [
      undefined,
      ...items.map((item) => [item]),
      ...several,
      ...lacking,
      ...beside.map((item) => [...required, item]),
      ...long,
      ...padded,
    ];
  }

  /**
   * Lists of several items. A list of three or more items has only one item of each class, because the number of lists
   * would become too large.
   *
   * @throws TooMany
   */
  #severalOf(path: string, items: readonly unknown[]): readonly unknown[][] {
    const most = this.#together(path);
    if (most < 3) return severalOf(items, most);
    const classes = Map.groupBy(items, (item) => this.#classOf(`${path}[]`, item));
    const different = [...classes.values()].flatMap(([first]) => first ?? []);
    let count = 1;
    for (let chosen = 0; chosen < Math.min(most, different.length); chosen++)
      count = (count * (different.length - chosen)) / (chosen + 1);
    if (count > MOST_VALUES) throw new TooMany(`more than ${MOST_VALUES} lists of ${most} items of ${path}`);
    return [...severalOf(items, 2), ...severalOf(different, most).filter(({ length }) => length > 2)];
  }

  /** A text that is equal for two items if no check of a single item distinguishes them. */
  #classOf(path: string, item: unknown): string {
    if (typeof item === 'string') return this.#signature(path, item);
    if (typeof item === 'number') {
      const constants = this.#constants(path).filter((one) => typeof one === 'number');
      return `${constants.filter((one) => one < item).length} ${constants.includes(item)}`;
    }
    if (typeof item !== 'object' || item === null) return JSON.stringify(item);
    const fields = Object.entries(item).map(([name, value]) => [name, this.#classOf(`${path}.${name}`, value)]);
    return JSON.stringify(fields);
  }

  /** The items that checks require in the list. */
  #required(path: string): readonly Constant[] {
    const { sets, required } = this.#poolAt(path);
    return [...new Set([...required].flatMap((key) => sets.get(key) ?? []))];
  }

  /** Lists of at least two items. A list has all required items, or lacks one or two of the required items. */
  #lacking(path: string, required: readonly Constant[]): readonly (readonly Constant[])[] {
    if (required.length === 0) return [];
    const { sets } = this.#poolAt(path);
    const some = this.#representatives(path).filter((one) => required.includes(one));
    // A constant such as ALL may replace any other constant. A list that lacks another constant must therefore also
    // lack ALL.
    const alone = some.filter((one) => [...sets.values()].some(([only, next]) => only === one && next === undefined));
    const pairs = alone.flatMap((one) => some.flatMap((other) => (other === one ? [] : [[one, other]])));
    const left = [[], ...some.map((one) => [one]), ...pairs];
    const lists = left.map((without) => required.filter((one) => !without.includes(one)));
    const isChanged = (this.#functions.get(path)?.size ?? 0) > 0;
    const lower = (one: Constant) => `${one}`.toLowerCase();
    // Some checks ignore the case of letters, and other checks do not. A list may therefore have some items in lower
    // case.
    const inLowerCase = isChanged
      ? [
          ...lists.map((list) => list.map(lower)),
          ...left.map((some) => required.map((one) => (some.includes(one) ? lower(one) : one))),
        ]
      : [];
    return [...lists, ...inLowerCase].filter((list) => list.length > 1);
  }

  /** A volume, or a source of a projected volume, has exactly one field in addition to its name. */
  #sources(path: string, type: string): readonly Fieldset[] {
    const read = this.#children(path).filter((field) => field !== 'name');
    const classOf = (field: string) => (read.includes(field) ? field : this.#signature(keysOf(path), field));
    const fields = Object.keys(KUBERNETES_FIELDS.types[type] ?? {}).filter((field) => field !== 'name');
    const preferred = [...(ONE_OF[type] ?? []), ...fields];
    const [...classes] = Map.groupBy(preferred, classOf).values();
    const name = REQUIRED[type] ?? {};
    return classes.flatMap(([field = '']) => {
      const values = read.includes(field) ? this.values(`${path}.${field}`) : [];
      const sources = values.filter((value) => value !== undefined);
      const smallest = REQUIRED[typeOf(`${path}.${field}`)] ?? {};
      return (sources.length > 0 ? sources : [smallest]).map((source) => ({ ...name, [field]: source }));
    });
  }

  /**
   * An object with an unknown field. The comparison needs this object only for checks that look at all fields of an
   * object.
   */
  #withUnknownKeys(path: string, type: string): Fieldset[] {
    if (!this.#paths.has(keysOf(path))) return [];
    return this.unknownKeys(path).flatMap((key) =>
      this.unknownValues(path, key).map((value) => ({ ...REQUIRED[type], [key]: value })),
    );
  }

  /** The values of an unknown field of the object. @throws TooMany */
  unknownValues(path: string, key: string): readonly unknown[] {
    return unknownValues(valueOfUnknown(path, key), (one) => [...this.#poolAt(one).sets.values()]);
  }

  /**
   * Names of fields that exist in no Kubernetes version. The list is empty if no check looks at all fields of the
   * object.
   */
  unknownKeys(path: string): string[] {
    if (!this.#paths.has(keysOf(path))) return [];
    const constants = this.#constants(keysOf(path)).filter((one) => typeof one === 'string');
    // A check may build the whole path of a field as a text, and compare this text.
    const beginnings = ['', ...constants.filter((one) => one.endsWith('.'))];
    const names = beginnings.flatMap((beginning) =>
      constants.filter((one) => one.startsWith(beginning)).map((one) => one.slice(beginning.length)),
    );
    const known = KUBERNETES_FIELDS.types[typeOf(path)] ?? {};
    const unknown = [otherText(names, 'fieldOfTomorrow'), ...names];
    return [...new Set(unknown)].filter((name) => /^[a-z][A-Za-z0-9]*$/.test(name) && !(name in known));
  }

  #children(path: string): string[] {
    const isChild = (one: string) => one.startsWith(`${path}.`) && !/[.[#]/.test(one.slice(path.length + 1));
    return [...this.#paths].filter(isChild).map((one) => one.slice(path.length + 1));
  }

  /**
   * Checks may append constants to a list before the checks take the list's length. The result lists how many constants
   * the checks append.
   */
  #appended(path: string): number[] {
    return [...(this.#functions.get(path) ?? [])].flatMap((note) =>
      note.startsWith(APPENDED) ? [Number(note.slice(APPENDED.length))] : [],
    );
  }

  #constants(path: string): readonly Constant[] {
    return [...new Set([...this.#poolAt(path).sets.values()].flat())];
  }

  /**
   * A constant of each class. All constants of a class belong to the same sets, and begin with the same prefixes. The
   * API server accepts either all constants of a class or none of the constants. Exchanging them therefore changes no
   * verdict. The comparison considers each text that a function may make from the constant.
   */
  #representatives(path: string): Constant[] {
    const classes = Map.groupBy(this.#constants(path), (one) => this.#signature(path, one));
    return [...classes.values()].flatMap(([first]) => first ?? []);
  }

  #signature(path: string, constant: Constant): string {
    const { sets, prefixes } = this.#poolAt(path);
    const texts = typeof constant === 'string' ? changedTexts(constant) : [constant];
    const found = texts.map((text) => [
      ...[...sets].flatMap(([key, set]) => (set.includes(text) ? key : [])),
      ...[...prefixes].filter((prefix) => typeof text === 'string' && text.startsWith(prefix)),
    ]);
    const text = `${constant}`;
    return JSON.stringify([found, isAcceptedText(path, text), acceptedAs(path, text, this.#isBeside)]);
  }

  #poolAt(path: string): Pool {
    return this.#pools.get(this.#poolOf.get(path) ?? '') ?? emptyPool();
  }

  /** If a check compares two paths with each other, the paths share their constants. */
  #join(paths: readonly string[]): Pool {
    const ids = new Set(paths.map((path) => this.#poolOf.get(path) ?? path));
    const [id = ''] = ids;
    const pool = this.#pools.get(id) ?? emptyPool();
    for (const other of ids) {
      const joined = this.#pools.get(other);
      if (!joined || joined === pool) continue;
      for (const [key, set] of joined.sets) pool.sets.set(key, set);
      for (const key of joined.required) pool.required.add(key);
      for (const one of joined.prefixes) pool.prefixes.add(one);
    }
    for (const [path, of] of this.#poolOf) if (ids.has(of)) this.#poolOf.set(path, id);
    for (const path of paths) this.#poolOf.set(path, id);
    this.#pools.set(id, pool);
    return pool;
  }
}

/** Divides the path of a field into the path of the object and the name of the field. */
const PARENT = /^(?<parent>.*)\.(?<name>\w+)$/;

/** The texts that functions in rules may make from a text. */
function changedTexts(text: string): string[] {
  return [text, text.replaceAll('/', '.'), text.toUpperCase(), text.toLowerCase(), text.replace(/^CAP_/i, '')];
}

export type Fieldset = Readonly<Record<string, unknown>>;

/** All combinations of the children's values. A child may also be absent. */
export function product(names: readonly string[], children: readonly (readonly unknown[])[]): Fieldset[] {
  const count = children.reduce((all, values) => all * values.length, 1);
  if (count > MOST_VALUES) throw new TooMany(`${count} combinations of ${names.join(', ')}`);
  return children.reduce<Fieldset[]>(
    (all, values, i) =>
      all.flatMap((own) =>
        values.map((value) => (value === undefined ? own : { ...own, [names[i] as string]: value })),
      ),
    [{}],
  );
}

function oneAtATime(names: readonly string[], children: readonly (readonly unknown[])[]): Fieldset[] {
  const single = children.flatMap((values, i) =>
    values.flatMap((value) => (value === undefined ? [] : [{ [names[i] as string]: value }])),
  );
  return [{}, ...single];
}

/**
 * The list with the given length. The first item is repeated. If the list is already longer than the given length, the
 * list is returned unchanged.
 */
function paddedTo(list: readonly Constant[], length: number): readonly Constant[] {
  const [first] = list;
  if (first === undefined) return list;
  return [...list, ...Array.from({ length: Math.max(0, length - list.length) }, () => first)];
}

/** A list with the given length. Items that have a name get different names. */
function repeated(item: unknown, length: number): unknown[] {
  const named = typeof item === 'object' && item !== null && 'name' in item;
  return Array.from({ length }, (_, i) => (named && i > 0 ? { ...item, name: `${item.name}${i}` } : item));
}
