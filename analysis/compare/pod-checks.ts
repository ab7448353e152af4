/**
 * Evaluates checks for many similar pods, each check only once for pods that are the same in the fields that the check
 * reads.
 */
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { containersOf } from '../../operator/model/containers.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { perObject } from '../../operator/policy/memo.ts';
import type { KnownCheck } from './alternatives.ts';
import { ReadParts, type Roots, WHOLE } from './read-parts.ts';

export class PodChecks {
  readonly #evaluator = new Evaluator();
  readonly #parts = new ReadParts();
  readonly #byParts = perObject((_: KnownCheck) => new Map<string, boolean>());
  readonly #byPod = perObject((_: PodContent) => new Map<KnownCheck, boolean>());

  violates(check: KnownCheck, pod: PodContent): boolean {
    const ofPod = this.#byPod(pod);
    const known = ofPod.get(check) ?? this.#violates(check, pod);
    ofPod.set(check, known);
    return known;
  }

  #violates(check: KnownCheck, pod: PodContent): boolean {
    if (!check.reads) return this.#evaluate(check, pod);
    const byParts = this.#byParts(check);
    const key = this.#keyOf(this.#parts.rootsOf(check.reads), pod);
    const known = byParts.get(key) ?? this.#evaluate(check, pod);
    byParts.set(key, known);
    return known;
  }

  #evaluate({ alone }: KnownCheck, pod: PodContent): boolean {
    return this.#evaluator.violations(pod, { checks: alone, filledChecks: alone }).length > 0;
  }

  #keyOf(roots: Roots, { spec, annotations }: PodContent): string {
    const { own, containers, volumes } = partsOf(spec);
    const nameOf = (value: object, root: string) => this.#parts.nameOf(value, roots.get(root));
    return [
      containers.length,
      nameOf(own, 'spec'),
      ...(roots.has('c') ? containers.map((one) => nameOf(one, 'c')) : []),
      '/',
      ...(roots.has('x') ? containers.map((one) => nameOf(one, 'x')) : []),
      '/',
      ...(roots.has('v') ? volumes.map((one) => this.#parts.nameOf(one, WHOLE)) : []),
      roots.has('@') ? JSON.stringify([annotations, ...containers.map(({ name }) => name)]) : '',
    ].join(' ');
  }
}

/** The fields of the pod itself, and the parts of the pod that have roots of their own. */
const partsOf = perObject((spec: PodContent['spec']) => {
  const { containers: _, initContainers: _init, ephemeralContainers: _ephemeral, volumes = [], ...own } = spec;
  return { own, containers: containersOf(spec), volumes };
});
