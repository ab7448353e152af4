/**
 * Tests the volume of the service account's token. No manifest contains this volume. cappol applies the API server's
 * rules to decide whether a pod gets the volume.
 */
import assert from 'node:assert/strict';
import { dump } from 'js-yaml';
import { cappol } from '../support/cappol.ts';
import { writtenPolicy } from '../support/policies.ts';

const POLICY = writtenPolicy('secrets', { level: 'privileged', overrides: { volumes: ['secret'] } });
const CONTAINERS = [{ name: 'app', image: 'app' }];
const MESSAGE =
  'volume "kube-api-access" must not be of type projected (allowed: secret); the API server adds it for the service ' +
  "account's token: set automountServiceAccountToken: false, or serviceAccountTokenVolumes: true in the policy";

const pod = (spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', ...metadata },
  spec: { containers: CONTAINERS, ...spec },
});
const deployment = (spec: object = {}, kind = 'apps/v1 Deployment') => ({
  apiVersion: kind.split(' ')[0],
  kind: kind.split(' ')[1],
  metadata: { name: 'web' },
  spec: { template: { spec: { containers: CONTAINERS, ...spec } } },
});
const account = (name: string, metadata: object = {}, fields: object = { automountServiceAccountToken: false }) => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name, ...metadata },
  ...fields,
});

const stream = (objects: readonly object[]) => objects.map((one) => dump(one, { noRefs: true })).join('---\n');

async function check(objects: readonly object[], ...args: readonly string[]) {
  const { stdout } = await cappol(['check', '-f', '-', '-o', 'json', ...args], stream([POLICY, ...objects]));
  const { items } = JSON.parse(stdout);
  return items[0];
}

const OFF = { automountServiceAccountToken: false };
const ON = { automountServiceAccountToken: true };
const MIRROR = { annotations: { 'kubernetes.io/config.mirror': 'a' } };

const ROWS: readonly (readonly [what: string, objects: readonly object[], verdict: string])[] = [
  ['a pod that says nothing', [pod()], 'Violating'],
  ['a pod that says true', [pod(ON), account('default')], 'Violating'],
  ['a pod that says false', [pod(OFF), account('default', {}, ON)], 'Compliant'],
  ['a pod that says null', [pod({ automountServiceAccountToken: null })], 'Violating'],
  ['a template', [deployment()], 'Violating'],
  ['a template that says false', [deployment(OFF)], 'Compliant'],
  ['a custom resource', [deployment({}, 'argoproj.io/v1alpha1 Rollout')], 'Violating'],
  ['a custom resource that says false', [deployment(OFF, 'argoproj.io/v1alpha1 Rollout')], 'Compliant'],
  ['a service account that says false, after the pod', [pod(), account('default')], 'Compliant'],
  ['a service account that says nothing', [pod(), account('default', {}, {})], 'Violating'],
  ['another service account', [pod({ serviceAccountName: 'app' }), account('default')], 'Violating'],
  ['a named service account', [deployment({ serviceAccountName: 'app' }), account('app')], 'Compliant'],
  ['a service account of the namespace', [pod(), account('default', { namespace: 'default' })], 'Compliant'],
  ['a service account of another namespace', [pod(), account('default', { namespace: 'other' })], 'Violating'],
  ['a pod of another namespace', [pod({}, { namespace: 'other' }), account('default')], 'Violating'],
  ['a pod that an API server has admitted', [pod({}, { uid: 'u' })], 'Compliant'],
  ['a mirror pod', [pod({}, MIRROR)], 'Compliant'],
  [
    'a pod with the volume',
    [pod({ volumes: [{ name: 'kube-api-access-x7k2p', projected: { sources: [] } }] })],
    'Violating',
  ],
];

describe('the volume of the token, in manifests', () => {
  for (const [what, objects, verdict] of ROWS) {
    it(`counts as the API server adds it: ${what}`, async () => assert.equal((await check(objects)).verdict, verdict));
  }

  it('for manifests without a namespace, check reads the service accounts of the namespace in -n', async () => {
    const objects = [pod(), account('default')];
    assert.equal((await check(objects, '-n', 'shop')).verdict, 'Compliant');
  });

  it('the message says why the volume of the token is refused, what to do, and which field decides', async () => {
    const { violations } = await check([pod()]);
    const line = stream([POLICY, pod()]).split('\n').indexOf('spec:', 10) + 1;
    assert.deepEqual(violations, [
      {
        policy: 'secrets',
        mode: 'Enforce',
        rule: 'volumes',
        container: null,
        message: MESSAGE,
        path: 'spec.automountServiceAccountToken',
        line,
      },
    ]);
  });

  it('a policy with serviceAccountTokenVolumes admits the volume of the token', async () => {
    const admitting = writtenPolicy('secrets', {
      level: 'privileged',
      overrides: { volumes: ['secret'], serviceAccountTokenVolumes: true },
    });
    assert.equal((await check([admitting, pod()])).verdict, 'Compliant');
  });

  it('fix removes the volume of the token, unless the service account already disables the volume', async () => {
    const { stdout } = await cappol(['fix', '-f', '-', '-o', 'json'], stream([POLICY, deployment()]));
    const { edits, left } = JSON.parse(stdout);
    assert.deepEqual(left, []);
    assert.deepEqual(
      edits.map(({ class: of, path, before, after }: Record<string, unknown>) => [of, path, before, after]),
      [['check', 'spec.template.spec.automountServiceAccountToken', null, false]],
    );
    const without = await cappol(['fix', '-f', '-', '-o', 'json'], stream([POLICY, deployment(), account('default')]));
    assert.deepEqual([JSON.parse(without.stdout).edits, without.code], [[], 0]);
  });

  it('suggest --narrow lists the volume of the token, unless the pods set automountServiceAccountToken to false', async () => {
    const volumes = [{ name: 'a', nfs: { server: 'a', path: '/' } }];
    for (const [spec, expected] of [
      [{ volumes }, ['nfs', 'projected']],
      [{ volumes, ...OFF }, ['nfs']],
    ] as const) {
      for (const object of [pod(spec), deployment(spec)]) {
        const { stdout } = await cappol(['suggest', '-f', '-', '--narrow', '-o', 'json'], stream([object]));
        assert.deepEqual(JSON.parse(stdout).policies[0].spec.overrides.volumes, expected);
      }
    }
  });
});
