/** Evaluates checks for pods with a single container. */
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Container, PodContent, Volume } from '../../operator/model/objects.ts';
import { objectOf } from '../../operator/model/raw.ts';
import type { Expression } from './alternatives.ts';
import type { Budget } from './budget.ts';
import type { Fieldset } from './fields.ts';
import { isAccepted, isAcceptedFilled } from './kubernetes.ts';
import { ReadParts, type Roots, WHOLE } from './read-parts.ts';
import type { Reads } from './reads.ts';
import { Failed } from './too-many.ts';

/** An expression whose CEL the comparison understands. */
export type Understood = Expression & { readonly reads: Reads };

/** A pod as its independent values. */
export interface TinyPod {
  readonly spec: Fieldset;
  readonly annotations: Fieldset;
  readonly container: Fieldset;
  /**
   * The annotations of the container. The key is the part of the annotation's key that precedes the name of the
   * container.
   */
  readonly ofContainer: Fieldset;
  /** Other containers of the pod. */
  readonly companions: readonly Fieldset[];
  readonly volumes?: readonly Fieldset[];
}

/** The fields of the pod itself. */
export type PodPart = Pick<TinyPod, 'spec' | 'annotations'>;
export type ContainerPart = Pick<TinyPod, 'container' | 'ofContainer'>;

/**
 * The name and image of a container. If no check distinguishes containers by name and image, a container has this name
 * and image.
 */
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

/** One object with the fields of two objects that have no field in common. */
export function mergedObjects(a: Fieldset, b: Fieldset): Fieldset {
  const both = Object.keys(a).filter((key) => key in b && typeof a[key] === 'object');
  const merged = both.map((key) => [key, mergedObjects(objectOf(a[key]), objectOf(b[key]))]);
  return { ...a, ...b, ...Object.fromEntries(merged) };
}

/** The known keys of a pod. All checks that read the same fields share a key. */
export type PodKeys = Map<Roots, string>;

/** Evaluates checks. If two pods are equal in the fields that a check reads, the check is evaluated only once. */
export class TinyPods {
  readonly #evaluator = new Evaluator();
  readonly #budget: Budget;
  readonly #verdicts = new Map<Understood, Map<string, string>>();
  readonly #parts: ReadParts;
  /** The pod that was evaluated last. All checks evaluate a pod before the next pod is evaluated. */
  #last: Last | undefined;

  constructor(budget: Budget, parts = new ReadParts()) {
    this.#budget = budget;
    this.#parts = parts;
  }

  /**
   * Whether the API server accepts the pod.
   *
   * @param fillsHostUsers whether defaulting may fill in hostUsers: false @throws TooLate
   */
  isAccepted(tiny: TinyPod, fillsHostUsers = false): boolean {
    this.#budget.checkTime();
    const pod = podOf(tiny);
    return isAccepted(pod) || (fillsHostUsers && isAcceptedFilled(pod));
  }

  /** Whether the pod violates the whole check. @throws Failed if the evaluation fails, or TooLate */
  violates(check: Understood, tiny: TinyPod): boolean {
    if (this.#last?.tiny !== tiny) this.#last = { tiny, violated: new Map(), keys: new Map() };
    const { violated, keys } = this.#last;
    const known = violated.get(check) ?? isViolation(check, this.answer(check, tiny, keys));
    violated.set(check, known);
    return known;
  }

  /**
   * The result is `1` if the pod meets the condition, and `0` if the pod does not meet the condition. The result is `e`
   * if the evaluation fails. A condition that is evaluated without the rest of its check can fail. Inside its check, a
   * condition may be evaluated only when another condition holds.
   *
   * @param keys the keys that are already calculated for the pod
   */
  answer(check: Understood, tiny: TinyPod, keys?: PodKeys): string {
    this.#budget.checkTime();
    const verdicts = this.#verdicts.get(check) ?? new Map<string, string>();
    this.#verdicts.set(check, verdicts);
    const roots = this.#parts.rootsOf(check.reads);
    const key = keys?.get(roots) ?? this.#keyOf(roots, tiny);
    keys?.set(roots, key);
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

  #keyOf(roots: Roots, tiny: TinyPod): string {
    const nameOf = (value: object, root: string) => this.#parts.nameOf(value, roots.get(root));
    return [
      nameOf(tiny.spec, 'spec'),
      nameOf(tiny.container, 'c'),
      ...tiny.companions.flatMap((one) => [nameOf(one, 'x'), nameOf(one, 'c')]),
      '/',
      // A check that reads all containers of the pod also reads the container on which the check runs.
      nameOf(tiny.container, 'x'),
      roots.has('@') ? JSON.stringify([tiny.annotations, tiny.ofContainer, tiny.container.name]) : '',
      roots.has('v') && tiny.volumes
        ? `${tiny.volumes.length} ${this.#parts.nameOf(tiny.volumes[0] ?? {}, WHOLE)}`
        : '',
    ].join(' ');
  }
}

function isViolation({ rule }: Understood, answer: string): boolean {
  if (answer === 'e') throw new Failed(`the evaluation of a check of rule ${rule} fails for some pods`);
  return answer === '1';
}

interface Last {
  readonly tiny: TinyPod;
  readonly violated: Map<Understood, boolean>;
  readonly keys: PodKeys;
}
