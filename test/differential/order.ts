import { podManifest } from '../support/pod-manifests.ts';

/**
 * The containers of an annotated pod. If a rule iterated over the annotations, the message about the pod would vary.
 * Maps have no order in CEL. The API server iterates over a map in Go's random order. The operator iterates in the
 * order of the JSON. If a message depended on the order of a map, the API server and the operator would give different
 * messages. The API server's message would also change from one request to the next.
 */
const NAMES = Array.from({ length: 12 }, (_, index) => `app-${(index * 7) % 12}`);
const PREFIX = 'container.apparmor.security.beta.kubernetes.io/';

/**
 * @param turn the number of places by which the annotations are rotated. The order of the annotations in the request
 * must not matter.
 */
export function annotated(turn: number) {
  const rotated = [...NAMES.slice(turn), ...NAMES.slice(0, turn)];
  const annotations = Object.fromEntries(rotated.map((name) => [`${PREFIX}${name}`, 'unconfined']));
  return podManifest(
    { generateName: 'annotated-', annotations },
    { containers: NAMES.map((name) => ({ name, image: 'image' })) },
  );
}

/** The message about the annotated pod. The message names the annotations in the order of the containers. */
export function namedInOrder(): string {
  return `must not have the annotation ${NAMES.map((name) => `${PREFIX}${name}=unconfined`).join(', ')} (allowed:`;
}
