/**
 * Evaluates checks for many similar pods. If two pods are equal in the fields that a check reads, the check is
 * evaluated only once.
 */
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { CONTAINER_LISTS } from '../../operator/model/containers.ts';
import type { Container, PodContent } from '../../operator/model/objects.ts';
import { Recent } from '../../operator/model/recent.ts';
import { perObject } from '../../operator/policy/memo.ts';
import type { KnownCheck } from './alternatives.ts';
import { changedPart, type Part, readsPart } from './changed-part.ts';
import { ReadParts, type Roots, type Tree, WHOLE } from './read-parts.ts';

/** The maximum number of verdicts that are kept for each check. */
const MOST_KEPT = 20_000;

export class PodChecks {
  readonly #evaluator = new Evaluator();
  readonly #parts = new ReadParts();
  readonly #byParts = perObject((_: KnownCheck) => new Recent<boolean>(MOST_KEPT));
  readonly #ofSpec = perObject((roots: Roots) => treeOfSpec(roots));
  /** For each part of a pod and each set of roots, says whether checks with these roots read the part. */
  readonly #reading = new Map<string, Map<Roots, boolean>>();
  /** The pod that was evaluated last. All policies evaluate a pod before the next pod is evaluated. */
  #last: Evaluated | undefined;

  violates(check: KnownCheck, pod: PodContent): boolean {
    if (this.#last?.pod !== pod) this.#last = this.#next(pod, this.#last);
    return this.#verdict(check, this.#last);
  }

  /** Prepares the evaluation of a pod. Many pods differ from an earlier pod in only one part. */
  #next(pod: PodContent, last: Evaluated | undefined): Evaluated {
    const own = { pod, verdicts: new Map(), keys: new Map() };
    for (const base of [last?.like?.base, last]) {
      const part = base && changedPart(base.pod, pod);
      if (!base || !part) continue;
      const { like: _, ...alone } = base;
      return { ...own, like: { base: alone, part, isRead: this.#readingOf(part) } };
    }
    return own;
  }

  #readingOf(part: Part): Map<Roots, boolean> {
    const key = part.join('\n');
    const known = this.#reading.get(key) ?? new Map<Roots, boolean>();
    this.#reading.set(key, known);
    return known;
  }

  #verdict(check: KnownCheck, evaluated: Evaluated): boolean {
    const known = evaluated.verdicts.get(check) ?? this.#violates(check, evaluated);
    evaluated.verdicts.set(check, known);
    return known;
  }

  #violates(check: KnownCheck, { pod, keys, like }: Evaluated): boolean {
    if (!check.reads) return this.#evaluate(check, pod);
    const roots = this.#parts.rootsOf(check.reads);
    if (like && !this.#isRead(roots, like)) return this.#verdict(check, like.base);
    const key = keys.get(roots) ?? this.#keyOf(roots, pod);
    keys.set(roots, key);
    return this.#byParts(check).get(key, () => this.#evaluate(check, pod));
  }

  #isRead(roots: Roots, { part, isRead }: Like): boolean {
    const known = isRead.get(roots) ?? readsPart(roots, this.#ofSpec(roots), part);
    isRead.set(roots, known);
    return known;
  }

  #evaluate({ alone }: KnownCheck, pod: PodContent): boolean {
    return this.#evaluator.violations(pod, { checks: alone, filledChecks: alone }).length > 0;
  }

  #keyOf(roots: Roots, { spec, annotations }: PodContent): string {
    const lists = CONTAINER_LISTS.map((list) => spec[list] ?? NONE);
    const names = (root: string) => lists.map((list) => this.#parts.nameOfItems(list, roots.get(root)));
    const tree = this.#ofSpec(roots);
    return [
      lists.map(({ length }) => length),
      tree ? this.#parts.textOf(tree === WHOLE ? withoutLists(spec) : spec, tree) : '',
      names('c'),
      names('x'),
      roots.has('v') ? this.#parts.nameOfItems(spec.volumes ?? NONE, WHOLE) : '',
      roots.has('@') ? JSON.stringify([annotations, lists.flat().map(({ name }) => name)]) : '',
    ].join(' ');
  }
}

/**
 * An empty list for each list field that a pod leaves unset. The empty list is always the same object, so that the name
 * of the list is calculated only once.
 */
const NONE: readonly Container[] = [];

interface Evaluated {
  readonly pod: PodContent;
  readonly verdicts: Map<KnownCheck, boolean>;
  readonly keys: Map<Roots, string>;
  readonly like?: Like;
}

/** An earlier pod that differs from the evaluated pod in only one part. */
interface Like {
  readonly base: Evaluated;
  readonly part: Part;
  /** Says whether checks with the given roots read the part. Only known answers are in the map. */
  readonly isRead: Map<Roots, boolean>;
}

/** The fields of the pod itself. A list is left out if its items have a separate root. */
function treeOfSpec(roots: Roots): Tree | undefined {
  const tree = roots.get('spec');
  return tree === undefined || tree === WHOLE ? tree : withoutLists(tree);
}

function withoutLists<Fields extends object>(fields: Fields): Fields {
  const isOwn = (field: string) => field !== 'volumes' && !(CONTAINER_LISTS as readonly string[]).includes(field);
  return Object.fromEntries(Object.entries(fields).filter(([field]) => isOwn(field))) as Fields;
}
