/**
 * Evaluates checks for many similar pods. If two pods are equal in the fields that a check reads, the check is
 * evaluated only once.
 */
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { CONTAINER_LISTS } from '../../operator/model/containers.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { Recent } from '../../operator/model/recent.ts';
import { perObject } from '../../operator/policy/memo.ts';
import type { KnownCheck } from './alternatives.ts';
import { ReadParts, type Roots, type Tree, WHOLE } from './read-parts.ts';

/** The maximum number of verdicts that are kept for each check. */
const MOST_KEPT = 20_000;

export class PodChecks {
  readonly #evaluator = new Evaluator();
  readonly #parts = new ReadParts();
  readonly #byParts = perObject((_: KnownCheck) => new Recent<boolean>(MOST_KEPT));
  readonly #ofSpec = perObject((roots: Roots) => treeOfSpec(roots));
  /** The pod that was evaluated last. All policies evaluate one pod before they evaluate the next pod. */
  #last: Last | undefined;

  violates(check: KnownCheck, pod: PodContent): boolean {
    if (this.#last?.pod !== pod) this.#last = { pod, verdicts: new Map(), keys: new Map() };
    const { verdicts, keys } = this.#last;
    const known = verdicts.get(check) ?? this.#violates(check, pod, keys);
    verdicts.set(check, known);
    return known;
  }

  #violates(check: KnownCheck, pod: PodContent, keys: Map<Roots, string>): boolean {
    if (!check.reads) return this.#evaluate(check, pod);
    const roots = this.#parts.rootsOf(check.reads);
    const key = keys.get(roots) ?? this.#keyOf(roots, pod);
    keys.set(roots, key);
    return this.#byParts(check).get(key, () => this.#evaluate(check, pod));
  }

  #evaluate({ alone }: KnownCheck, pod: PodContent): boolean {
    return this.#evaluator.violations(pod, { checks: alone, filledChecks: alone }).length > 0;
  }

  #keyOf(roots: Roots, { spec, annotations }: PodContent): string {
    const lists = CONTAINER_LISTS.map((list) => spec[list] ?? []);
    const names = (root: string) => lists.map((list) => this.#parts.nameOfItems(list, roots.get(root)));
    const tree = this.#ofSpec(roots);
    return [
      lists.map(({ length }) => length),
      tree ? this.#parts.textOf(tree === WHOLE ? withoutLists(spec) : spec, tree) : '',
      names('c'),
      names('x'),
      roots.has('v') ? this.#parts.nameOfItems(spec.volumes ?? [], WHOLE) : '',
      roots.has('@') ? JSON.stringify([annotations, lists.flat().map(({ name }) => name)]) : '',
    ].join(' ');
  }
}

interface Last {
  readonly pod: PodContent;
  readonly verdicts: Map<KnownCheck, boolean>;
  readonly keys: Map<Roots, string>;
}

/** The fields of the pod itself, without the lists whose items have roots of their own. */
function treeOfSpec(roots: Roots): Tree | undefined {
  const tree = roots.get('spec');
  return tree === undefined || tree === WHOLE ? tree : withoutLists(tree);
}

function withoutLists<Fields extends object>(fields: Fields): Fields {
  const isOwn = (field: string) => field !== 'volumes' && !(CONTAINER_LISTS as readonly string[]).includes(field);
  return Object.fromEntries(Object.entries(fields).filter(([field]) => isOwn(field))) as Fields;
}
