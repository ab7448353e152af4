/**
 * Tests when the API server adds the volume of the service account's token
 * (k8s.io/kubernetes/plugin/pkg/admission/serviceaccount).
 */
import assert from 'node:assert/strict';
import { changed } from '../../analysis/fix/changed-fields.ts';
import { tokenVolumeIndex, withTokenVolume } from '../../analysis/manifests/token-volume.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { app, ephemeral, init, pod } from '../support/pods.ts';

const PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const mounting = (mountPath: string) => ({ volumeMounts: [{ name: 'own', mountPath }] });
const EMPTY = pod();
const OWN = { name: 'own', emptyDir: {} };

const names = ({ spec }: PodContent) => (spec.volumes ?? []).map(({ name }) => name);

const ROWS: readonly (readonly [what: string, content: PodContent, volumes: readonly string[]])[] = [
  ['a pod without volumes', pod(), ['kube-api-access']],
  ['a pod with another volume, after it', pod({ volumes: [OWN] }), ['own', 'kube-api-access']],
  ['a pod of which one container mounts something there', init(mounting(PATH)), ['kube-api-access']],
  ['a container that mounts something below', app(mounting(`${PATH}/token`)), ['kube-api-access']],
  ['no pod of which each container mounts something there', init(mounting(PATH), mounting(PATH)), []],
  ['no pod of which only an ephemeral container does not', ephemeral({}, mounting(PATH)), []],
  [
    'no pod with a volume of such a name, whatever it is',
    pod({ volumes: [{ name: 'kube-api-access-mine', emptyDir: {} }] }),
    ['kube-api-access-mine'],
  ],
  [
    'no pod that was written with the volume',
    pod({ volumes: [{ name: 'kube-api-access', projected: {} }] }),
    ['kube-api-access'],
  ],
  [
    'a pod with a volume whose name only begins alike',
    pod({ volumes: [{ name: 'kube-api-accesses', emptyDir: {} }] }),
    ['kube-api-accesses', 'kube-api-access'],
  ],
];

describe('the volume of the token', () => {
  for (const [what, content, expected] of ROWS) {
    it(`is added to ${what}`, () => assert.deepEqual(names(withTokenVolume(content, true)), expected));
  }

  it('the volume is not added to a pod that opts out of the volume', () => {
    assert.deepEqual(withTokenVolume(pod(), false), pod());
  });

  it('is left out where nothing is known', () => assert.equal(withTokenVolume(EMPTY), EMPTY));

  it('comes and goes with the field', () => {
    const added = withTokenVolume(pod({ volumes: [OWN] }), true);
    assert.equal(tokenVolumeIndex(added.spec), 1);
    const off = {
      ...added,
      spec: changed(added.spec, [], ['automountServiceAccountToken'], false) as PodContent['spec'],
    };
    assert.deepEqual(names(withTokenVolume(off)), ['own']);
    assert.deepEqual(withTokenVolume(withTokenVolume(off), true), added);
  });

  it('is known from one that somebody wrote', () => {
    const written = withTokenVolume(pod({ volumes: [{ name: 'kube-api-access', projected: {} }] }), true);
    assert.equal(tokenVolumeIndex(written.spec), -1);
  });
});
