/**
 * Maps have no order in CEL: the API server iterates over a map in Go's random order, the operator in that of the JSON.
 * A message that depends on it would differ between the two, and from one request to the next.
 */
import assert from 'node:assert/strict';
import { sharedControlPlane } from '../controlplane/shared.ts';
import { SERVER_MINOR } from '../controlplane/version.ts';
import { Arena, createPod } from './arena.ts';
import { plain } from './contests.ts';

const NAMES = Array.from({ length: 12 }, (_, index) => `app-${(index * 7) % 12}`);
const PREFIX = 'container.apparmor.security.beta.kubernetes.io/';
const REQUESTS = 10;

describe('messages about annotations', () => {
  const contest = plain('baseline', SERVER_MINOR);
  let arena: Arena;

  before(async () => {
    arena = new Arena((await sharedControlPlane()).kubeconfig, [contest]);
    await arena.open();
  });

  after(() => arena.close());

  it('name them in the order of the containers, on the API server and in the operator, at each request', async () => {
    const named = NAMES.map((name) => `${PREFIX}${name}=unconfined`).join(', ');
    for (let request = 0; request < REQUESTS; request++) {
      const answers = await arena.ask(createPod(annotated(request)), contest);
      assert.ok(answers);
      assert.ok(answers.policy.text.includes(`must not have the annotation ${named} (allowed:`), answers.policy.text);
      assert.equal(answers.operator.text, answers.policy.text);
    }
  });
});

/** @param turn how far the annotations are rotated: the order in which they are sent says nothing */
function annotated(turn: number) {
  const rotated = [...NAMES.slice(turn), ...NAMES.slice(0, turn)];
  const annotations = Object.fromEntries(rotated.map((name) => [`${PREFIX}${name}`, 'unconfined']));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'annotated-', annotations },
    spec: { containers: NAMES.map((name) => ({ name, image: 'image' })) },
  };
}
