/**
 * Finds the pod fields that the CEL expression of a check reads. For each field, also finds the constants with which
 * the expression compares the field. A new rule therefore needs no description of its fields, because the CEL
 * expression itself describes them.
 */
import { type ASTNode, Environment, serialize } from '@marcbachmann/cel-js';
import {
  ANNOTATIONS,
  containerAnnotation,
  insideOf,
  isUnknownValue,
  itemsOf,
  keysOf,
  NotUnderstood,
  podAnnotation,
  sizeOf,
  typeOf,
  valueOfUnknown,
} from './paths.ts';

export type Constant = string | number;

/**
 * A comparison in the CEL expression. The expression may compare each path with any other path of the list, or with the
 * constants of each set.
 */
export interface Relation {
  readonly paths: readonly string[];
  readonly sets: readonly (readonly Constant[])[];
  /**
   * Whether the check may be violated because a constant is missing in the list. The items of the list are at the path.
   */
  readonly required: boolean;
  /** Whether the constants are compared with the beginnings of texts. */
  readonly isPrefix: boolean;
}

export interface Reads {
  /** Every path that the CEL expression reads. The paths of objects that contain a field are included. */
  readonly paths: ReadonlySet<string>;
  /** The paths at which only the presence of a value matters, as in `hasValue()`. */
  readonly presence: ReadonlySet<string>;
  readonly relations: readonly Relation[];
  /** The functions that change or match the text at a path before the text is compared. */
  readonly functions: readonly (readonly [path: string, name: string])[];
}

/** The possible values of an expression: the values at the paths, and the constants of the sets. */
interface Value {
  readonly paths: readonly string[];
  readonly sets: readonly (readonly Constant[])[];
  /** The items of a list that the CEL expression builds. */
  readonly items?: Value;
  /**
   * The constant that the expression equals. The field exists only if an earlier condition says that the expression
   * equals this constant.
   */
  readonly only?: string;
}

type Scope = ReadonlyMap<string, Value>;

/** A node of the syntax tree of cel-js: an operator with its operands, which are nodes, names or constants. */
interface Node {
  readonly op: string;
  readonly args: unknown;
}

const NOTHING: Value = { paths: [], sets: [] };
const PARSER = new Environment({
  enableOptionalTypes: true,
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 1_000_000, maxDepth: 1_000 },
});
const SCOPE: Scope = new Map([
  ['c', { paths: ['c'], sets: [] }],
  ['v', { paths: ['v'], sets: [] }],
]);
/** To cover the results of these functions, the comparison tries variants of the constants (texts.ts). */
const TEXT_FUNCTIONS = ['upperAscii', 'substring', 'split', 'matches', 'contains'];
const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='];

/**
 * @param violates the CEL expression of a check
 * @throws NotUnderstood if the expression uses something that no current rule uses
 */
export function readsOf(violates: string): Reads {
  const reader = new Reader();
  reader.read(PARSER.parse(violates).ast as Node);
  return reader;
}

/** The conditions that the CEL expression combines with `&&`, `||`, `!` and `?:`. */
export function factorsOf(violates: string): string[] {
  const split = (node: Node): Node[] => {
    const operands = ['&&', '||', '!_', '?:'].includes(node.op) ? [node.args].flat() : undefined;
    return operands ? (operands as Node[]).flatMap(split) : [node];
  };
  const factors = split(PARSER.parse(violates).ast as Node);
  return [...new Set(factors.map((factor) => serialize(factor as ASTNode).replaceAll(PAIR, fromEscapes)))];
}

/**
 * Matches a character that needs more than 16 bits, in the output of serialize(). serialize() writes the character as
 * two escapes, and CEL refuses the two escapes.
 */
const PAIR = /\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})/gi;

function fromEscapes(_: string, high: string, low: string): string {
  return String.fromCharCode(Number.parseInt(high, 16), Number.parseInt(low, 16));
}

class Reader implements Reads {
  readonly paths = new Set<string>();
  readonly presence = new Set<string>();
  readonly relations: Relation[] = [];
  readonly functions: (readonly [string, string])[] = [];

  read(violates: Node): void {
    this.#visit(violates, SCOPE, true);
    // If the key of an annotation is not a constant, the annotation is about a container. The key of a container's
    // annotation ends in the name of the container.
    if (!this.paths.has(ANNOTATIONS_BY_KEY)) return;
    const keys = this.relations.filter(({ paths }) => paths.includes(keysOf(ANNOTATIONS)));
    const prefixes = keys
      .flatMap(({ sets }) => sets.flat())
      .map((prefix) => this.#at(containerAnnotation(`${prefix}`)));
    this.relations.push({ paths: [ANNOTATIONS_BY_KEY, ...prefixes], sets: [], required: false, isPrefix: false });
  }

  /**
   * @param violating whether the result `true` may cause a violation; undefined if both results may cause a violation
   */
  #visit(node: Node, scope: Scope, violating: boolean | undefined): Value {
    const { op } = node;
    const args: readonly unknown[] = Array.isArray(node.args) ? node.args : [node.args];
    const visit = (one: Node, sign = violating) => this.#visit(one, scope, sign);
    const [first, second, third] = args as readonly Node[] as [Node, Node, Node];
    switch (op) {
      case 'value':
        return constant(args[0]);
      case 'id':
        return found(scope, `${args[0]}`);
      case '.':
      case '.?':
        return this.#field(first, `${args[1]}`, visit);
      case '[]':
      case '[?]':
        return this.#index(visit(first), visit(second));
      case 'map':
        if (args.length > 0) throw new NotUnderstood('a mapping');
        return NOTHING;
      case 'list':
        return listOf((args as Node[]).map((item) => visit(item)));
      case '!_':
        return visit(first, flipped(violating));
      case '-_':
        return { paths: [], sets: visit(first).sets.map((set) => set.map((number) => -number)) };
      case '&&':
        visit(first);
        this.#visit(second, narrowed(scope, first), violating);
        return NOTHING;
      case '||':
        visit(first);
        visit(second);
        return NOTHING;
      case '?:':
        visit(first, undefined);
        return merged(visit(second), visit(third));
      case '+':
        return merged(visit(first), visit(second));
      case 'in':
        return this.#contains(visit(second), visit(first), violating);
      case 'call':
        if (!['dyn', 'string', 'int'].includes(`${args[0]}`)) throw new NotUnderstood(`function ${args[0]}`);
        return visit((args[1] as Node[])[0] as Node);
      case 'rcall':
        return this.#call(`${args[0]}`, second, third as unknown as readonly Node[], scope, violating);
      default:
        if (!COMPARISONS.includes(op)) throw new NotUnderstood(`operator ${op}`);
        return this.#compare(visit(first), visit(second));
    }
  }

  #field(object: Node, field: string, visit: (node: Node) => Value): Value {
    if (object.op === 'id' && (object.args as unknown) === 'variables') {
      if (field !== 'spec' && field !== 'annotations') throw new NotUnderstood(`variable ${field}`);
      return { paths: [field], sets: [] };
    }
    return { paths: visit(object).paths.map((path) => this.#at(`${path}.${field}`)), sets: [] };
  }

  #at(path: string): string {
    if (isUnknownValue(path)) return path;
    typeOf(path);
    this.paths.add(path);
    return path;
  }

  /** The value of a list item, of the annotation with the given key, or of an unknown field. */
  #index(list: Value, key: Value): Value {
    if (list.paths.includes(ANNOTATIONS)) return { paths: this.#annotations(key), sets: [] };
    if (list.paths.some(isUnknownValue)) return { paths: list.paths.map(insideOf), sets: [] };
    const objects = list.paths.filter((path) => itemsOf(path).includes(keysOf(path)));
    if (objects.length === 0) return this.#itemsOf(list);
    const { only } = key;
    if (only === undefined) throw new NotUnderstood('a field whose name is not a constant');
    return { paths: objects.map((path) => valueOfUnknown(path, only)), sets: [] };
  }

  #annotations(key: Value): string[] {
    if (key.paths.includes(keysOf(ANNOTATIONS))) return [this.#at(ANNOTATIONS_BY_KEY)];
    const pathOf = key.paths.length > 0 ? containerAnnotation : podAnnotation;
    return key.sets.flat().map((text) => this.#at(pathOf(`${text}`)));
  }

  #itemsOf({ paths, items = NOTHING }: Value): Value {
    return merged({ paths: paths.flatMap(itemsOf).map((path) => this.#at(path)), sets: [] }, items);
  }

  #contains(list: Value, item: Value, violating: boolean | undefined): Value {
    if (list.paths.includes(ANNOTATIONS)) {
      for (const path of this.#annotations(item)) this.presence.add(path);
      return NOTHING;
    }
    const items = this.#itemsOf(list);
    return this.#compare(item, items, items.paths.length > 0 && violating !== true);
  }

  #compare(a: Value, b: Value, required = false, isPrefix = false): Value {
    const paths = [...a.paths, ...b.paths];
    // A comparison of keys is not recorded. A comparison of keys only excludes annotations that have a separate check.
    const isKey = paths.includes(keysOf(ANNOTATIONS)) && paths.length > 1;
    const sets = [...a.sets, ...b.sets].filter((set) => set.length > 0);
    if (paths.length > 0 && !isKey) this.relations.push({ paths, sets, required, isPrefix });
    return NOTHING;
  }

  #call(name: string, on: Node, args: readonly Node[], scope: Scope, violating: boolean | undefined): Value {
    const visit = (node: Node) => this.#visit(node, scope, violating);
    if (on.op === 'id' && (on.args as unknown) === 'optional') return args.map(visit).reduce(merged, NOTHING);
    switch (name) {
      case 'all':
      case 'exists':
      case 'filter':
      case 'map': {
        const items = this.#itemsOf(visit(on));
        const [variable, body] = args as [Node, Node];
        const inner = new Map([...scope, [variable.args as string, items]]);
        const result = this.#visit(body, inner, violating);
        return name === 'map' ? { ...NOTHING, items: result } : name === 'filter' ? { ...NOTHING, items } : NOTHING;
      }
      case 'or':
      case 'orValue':
        return this.#or(visit(on), args[0] as Node, visit);
      case 'hasValue':
        for (const path of visit(on).paths) this.presence.add(path);
        return NOTHING;
      case 'size':
        return this.#size(visit(on));
      case 'startsWith':
        return this.#compare(visit(on), visit(args[0] as Node), false, true);
      case 'join':
        return this.#itemsOf(visit(on));
      default:
        return this.#text(name, visit(on), args.map(visit));
    }
  }

  #or(value: Value, otherwise: Node, visit: (node: Node) => Value): Value {
    const other = visit(otherwise);
    if (other.paths.length > 0) for (const path of value.paths) this.presence.add(path);
    return merged(value, other);
  }

  /** The value of a list's length. The CEL expression may first append constants to a list of the pod. */
  #size({ paths, items }: Value): Value {
    const appended = (items?.sets ?? []).flat().length;
    const sizes = paths.map((path) => this.#at(sizeOf(path)));
    for (const size of sizes) if (appended > 0) this.functions.push([size, `${APPENDED}${appended}`]);
    return { paths: sizes, sets: [] };
  }

  #text(name: string, text: Value, args: readonly Value[]): Value {
    if (!TEXT_FUNCTIONS.includes(name)) throw new NotUnderstood(`function ${name}`);
    for (const path of text.paths) this.functions.push([path, `${name}(${args.flatMap(({ sets }) => sets.flat())})`]);
    return name === 'split' ? { ...NOTHING, items: text } : text;
  }
}

/** The beginning of an entry in the list of functions. The entry says how many constants are appended to a list. */
export const APPENDED = 'appended ';
/** The path of the values of annotations, if the key of the annotation is not a constant. */
const ANNOTATIONS_BY_KEY = 'annotations@';

function constant(value: unknown): Value {
  if (typeof value === 'bigint') return { paths: [], sets: [[Number(value)]] };
  return typeof value === 'string' ? { paths: [], sets: [[value]] } : NOTHING;
}

/** A list of constants is a single set, because the CEL expression treats all its items alike. */
function listOf(items: readonly Value[]): Value {
  const areConstants = items.every(({ paths, items: inner }) => paths.length === 0 && !inner);
  const constants = items.flatMap(({ sets }) => sets.flat());
  return { ...NOTHING, items: areConstants ? { paths: [], sets: [constants] } : items.reduce(merged, NOTHING) };
}

function merged(a: Value, b: Value): Value {
  const items = a.items && b.items ? merged(a.items, b.items) : (a.items ?? b.items);
  return { paths: [...new Set([...a.paths, ...b.paths])], sets: [...a.sets, ...b.sets], ...(items && { items }) };
}

/**
 * The scope of a second condition. The second condition is evaluated only if the first condition holds. An example of a
 * first condition is `k == "field"`.
 */
function narrowed(scope: Scope, { op, args }: Node): Scope {
  // `a && (b && c)` is printed as `a && b && c`, which is parsed as `(a && b) && c`.
  if (op === '&&') return (args as readonly Node[]).reduce(narrowed, scope);
  if (op !== '==') return scope;
  const [variable, text] = args as readonly [Node, Node];
  const known = variable.op === 'id' ? scope.get(`${variable.args}`) : undefined;
  if (!known || text.op !== 'value' || typeof text.args !== 'string') return scope;
  return new Map([...scope, [`${variable.args}`, { ...known, only: text.args }]]);
}

function found(scope: Scope, name: string): Value {
  const value = scope.get(name);
  if (!value) throw new NotUnderstood(`variable ${name}`);
  return value;
}

function flipped(violating: boolean | undefined): boolean | undefined {
  return violating === undefined ? undefined : !violating;
}
