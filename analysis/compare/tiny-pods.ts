/** Pods with a single container, and whether they violate a check. */
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Container, PodContent, Volume } from '../../operator/model/objects.ts';
import { objectOf } from '../../operator/model/raw.ts';
import type { Expression } from './alternatives.ts';
import { type Fieldset, TooMany } from './fields.ts';
import { keysOf, rootOf } from './paths.ts';
import type { Reads } from './reads.ts';

/** An expression that the comparison understands. */
export type Understood = Expression & { readonly reads: Reads };

/** Counts the pods that a comparison looks at, up to its limit. */
export class Budget {
  readonly #limit: number;
  #spent = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  spend(): void {
    if (++this.#spent > this.#limit) throw new TooMany(`more than ${this.#limit} pods`);
  }
}

/** A pod, by its independent values. */
export interface TinyPod {
  readonly spec: Fieldset;
  readonly annotations: Fieldset;
  readonly container: Fieldset;
  /** The annotations of the container, by the beginnings of their keys. */
  readonly ofContainer: Fieldset;
  /** Other containers of the pod. */
  readonly companions: readonly Fieldset[];
  readonly volumes?: readonly Fieldset[];
}

/** The fields of the pod itself. */
export type PodPart = Pick<TinyPod, 'spec' | 'annotations'>;
export type ContainerPart = Pick<TinyPod, 'container' | 'ofContainer'>;

/** The name and image of a container, if no check tells containers apart by these. */
export const USUAL: Fieldset = { name: 'app', image: 'app' };

export function podOf({ spec, annotations, container, ofContainer, companions, volumes }: TinyPod): PodContent {
  const own = Object.entries(ofContainer).map(([prefix, value]) => [`${prefix}${container.name}`, value]);
  const others = companions.map((one, i) => ({ ...one, name: `companion-${i}` }));
  return {
    annotations: { ...annotations, ...Object.fromEntries(own) } as PodContent['annotations'],
    spec: {
      ...spec,
      containers: [container, ...others] as unknown as Container[],
      ...(volumes && { volumes: volumes as unknown as Volume[] }),
    },
  };
}

/** Objects of which no two set the same field, as one object. */
export function mergedObjects(a: Fieldset, b: Fieldset): Fieldset {
  const both = Object.keys(a).filter((key) => key in b && typeof a[key] === 'object');
  const merged = both.map((key) => [key, mergedObjects(objectOf(a[key]), objectOf(b[key]))]);
  return { ...a, ...b, ...Object.fromEntries(merged) };
}

/** Evaluates checks, each only once for pods that are the same in the fields that the check reads. */
export class TinyPods {
  readonly #evaluator = new Evaluator();
  readonly #budget: Budget;
  readonly #verdicts = new Map<Understood, Map<string, string>>();
  readonly #texts = new WeakMap<object, Map<Tree, string>>();
  readonly #names = new Map<string, string>();
  readonly #roots = new Map<Understood, ReadonlyMap<string, Readonly<Tree>>>();

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  violates(check: Understood, tiny: TinyPod): boolean {
    return this.answer(check, tiny) === '1';
  }

  /** Whether the pod meets the condition: 1 or 0, or an error for a condition that another one guards. */
  answer(check: Understood, tiny: TinyPod): string {
    const verdicts = this.#verdicts.get(check) ?? new Map<string, string>();
    this.#verdicts.set(check, verdicts);
    const key = this.#keyOf(check, tiny);
    const known = verdicts.get(key);
    if (known !== undefined) return known;
    this.#budget.spend();
    const found = this.#evaluate(check, tiny);
    verdicts.set(key, found);
    return found;
  }

  #evaluate({ alone }: Understood, tiny: TinyPod): string {
    try {
      return this.#evaluator.violations(podOf(tiny), { checks: alone, filledChecks: alone }).length > 0 ? '1' : '0';
    } catch {
      return 'e';
    }
  }

  #keyOf(check: Understood, tiny: TinyPod): string {
    const roots = this.#rootsOf(check);
    return [
      this.#textOf(tiny.spec, roots.get('spec')),
      this.#textOf(tiny.container, roots.get('c')),
      ...tiny.companions.flatMap((one) => [this.#textOf(one, roots.get('x')), this.#textOf(one, roots.get('c'))]),
      '/',
      // A check of all containers also sees the container itself.
      this.#textOf(tiny.container, roots.get('x')),
      roots.has('@') ? JSON.stringify([tiny.annotations, tiny.ofContainer, tiny.container.name]) : '',
      roots.has('v') && tiny.volumes ? `${tiny.volumes.length} ${this.#textOf(tiny.volumes[0] ?? {}, WHOLE)}` : '',
    ].join(' ');
  }

  #rootsOf(check: Understood): ReadonlyMap<string, Tree> {
    const known = this.#roots.get(check) ?? rootsOf([...check.reads.paths]);
    this.#roots.set(check, known);
    return known;
  }

  /** A short name of the fields of the value that the check reads. */
  #textOf(value: object, tree: Tree | undefined): string {
    if (!tree) return '';
    const texts = this.#texts.get(value) ?? new Map<Tree, string>();
    this.#texts.set(value, texts);
    const known = texts.get(tree);
    if (known !== undefined) return known;
    const text = JSON.stringify(picked(value, tree)) ?? '';
    const name = this.#names.get(text) ?? `${this.#names.size}`;
    this.#names.set(text, name);
    texts.set(tree, name);
    return name;
  }
}

/** The fields below an object that are read; undefined for a field that is read as a whole. */
interface Tree {
  readonly [field: string]: Tree | undefined;
}
const WHOLE: Tree = Object.freeze({});

const KEYS = keysOf('');

function rootsOf(paths: readonly string[]): ReadonlyMap<string, Tree> {
  const roots = new Map<string, Record<string, unknown>>();
  // A check that reads all keys of an object reads the object as a whole, whatever it also reads below the object.
  const order = (path: string) => (path.endsWith(KEYS) ? -path.length : Number.NEGATIVE_INFINITY);
  for (const path of paths.toSorted((a, b) => order(a) - order(b) || 0)) {
    const isAnnotation = path.includes('@') || path.startsWith('annotations');
    const root = isAnnotation ? '@' : path.startsWith('spec.volumes') ? 'v' : rootOf(path);
    let tree = roots.get(root) ?? {};
    roots.set(root, tree);
    const [fields = ''] = path.split(/[[#]/);
    const steps = fields.split('.').slice(1);
    if (path.endsWith(KEYS) && steps.length === 0) roots.set(root, {});
    for (const [i, step] of steps.entries()) {
      if (path.endsWith(KEYS) && i === steps.length - 1) tree[step] = {};
      tree[step] ??= {};
      tree = tree[step] as Record<string, unknown>;
    }
  }
  return roots as ReadonlyMap<string, Tree>;
}

function picked(value: unknown, tree: Tree): unknown {
  if (Object.keys(tree).length === 0 || typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(tree).flatMap(([field, below]) => {
    const own = (value as Record<string, unknown>)[field];
    return own === undefined ? [] : [[field, below ? picked(own, below) : own]];
  });
  return Object.fromEntries(fields);
}
