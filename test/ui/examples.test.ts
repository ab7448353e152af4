/**
 * Tests the examples of the playground. Each policy admits one pod of the example, and refuses or reports the other
 * pod.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { EXAMPLES, playOfExample } from '../../ui/model/examples.ts';
import { labelsOf } from '../../ui/model/play-link.ts';
import { check } from '../../ui/worker/check.ts';

const SAMPLES = join(import.meta.dirname, '..', '..', 'config', 'samples');

interface Policy {
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

describe('examples of the playground', () => {
  for (const example of EXAMPLES) {
    it(`${example.title}: one pod violates it, the other one complies`, () => {
      const { policies, manifests, namespace, labels } = playOfExample(example);
      const namespaceLabels = labelsOf(labels);
      const { items, troubles } = check({
        ...{ policies, manifests, namespace, namespaceLabels },
        serverVersion: NEWEST_KNOWN_MINOR,
        at: 0,
      });
      assert.deepEqual(troubles, []);
      assert.deepEqual(
        items.map(({ name, verdict }) => [name, verdict]),
        [
          ['bad', 'Violating'],
          ['good', 'Compliant'],
        ],
        JSON.stringify(items.map(({ violations }) => violations)),
      );
    });
  }

  it('the examples contain the policy of each file in config/samples', () => {
    const own = new Map(
      EXAMPLES.map(({ policy }) => load(policy) as Policy).map(({ metadata, spec }) => [metadata.name, spec]),
    );
    const files = readdirSync(SAMPLES).filter((file) => file !== 'kustomization.yaml');
    for (const file of files) {
      const { metadata, spec } = load(readFileSync(join(SAMPLES, file), 'utf8')) as Policy;
      assert.deepEqual(own.get(metadata.name), spec, file);
    }
  });
});
