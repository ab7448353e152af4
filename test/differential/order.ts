import { podManifest } from '../support/pod-manifests.ts';

/**
 * A pod whose message depends on an order. Maps have no order in CEL: the API server iterates over a map in Go's random
 * order, the operator in that of the JSON. A message that depends on such an order would differ between the two, and from
 * one request to the next.
 */
const NAMES = Array.from({ length: 12 }, (_, index) => `app-${(index * 7) % 12}`);
const PREFIX = 'container.apparmor.security.beta.kubernetes.io/';

/** @param turn how far the annotations are rotated: the order in which they are sent does not matter */
export function annotated(turn: number) {
  const rotated = [...NAMES.slice(turn), ...NAMES.slice(0, turn)];
  const annotations = Object.fromEntries(rotated.map((name) => [`${PREFIX}${name}`, 'unconfined']));
  return podManifest(
    { generateName: 'annotated-', annotations },
    { containers: NAMES.map((name) => ({ name, image: 'image' })) },
  );
}

/** The message about that pod contains its annotations in the order of its containers. */
export function namedInOrder(): string {
  return `must not have the annotation ${NAMES.map((name) => `${PREFIX}${name}=unconfined`).join(', ')} (allowed:`;
}
