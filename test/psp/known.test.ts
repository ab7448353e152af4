/** Tests that the migrated policies give each verdict of Kubernetes 1.24. */
import assert from 'node:assert/strict';
import { podManifest } from '../support/pod-manifests.ts';
import { KNOWN, type Known } from './known-verdicts.ts';
import { binding, type PspSet, psp, role } from './objects.ts';
import { replayed } from './replay.ts';

const NAME = 'known';

describe('a migrated PodSecurityPolicy', () => {
  for (const known of KNOWN) {
    it(known.title, () => {
      const became = replayed(setOf(known))(podOf(known));
      assert.equal(became !== undefined, known.answer === 'admitted');
      const { containers = [], ...ofPod } = became ?? {};
      const settings = { ...ofPod, ...containers[0] };
      for (const [field, value] of Object.entries(known.becomes ?? {})) assert.deepEqual(settings[field], value, field);
    });
  }
});

function setOf({ spec, annotations = {} }: Known): PspSet {
  const may = role(NAME, [NAME]);
  const rbac = [may, binding(NAME, may, [{ kind: 'User', name: NAME }], NAME)];
  return { id: NAME, policies: [psp(NAME, spec, annotations)], rbac, namespaces: [NAME] };
}

function podOf({ pod: { spec = {}, container = {}, annotations = {} } = {} }: Known) {
  const containers = [{ name: 'app', image: 'app', ...container }];
  const pod = podManifest({ name: NAME, annotations }, { ...spec, containers });
  return { pod, namespace: NAME, account: 'default', creator: { user: NAME } };
}
