/**
 * Tests a null in a list or as a label. The API server does not drop a null in a list or as a label. The file
 * test/cli/reading-live.test.ts shows this behavior with an API server.
 */
import assert from 'node:assert/strict';
import { dump } from 'js-yaml';
import { cappol } from '../support/cappol.ts';
import { cpuMs } from '../support/measured.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { writtenPolicy } from '../support/policies.ts';

function yaml(...objects: readonly object[]): string {
  return objects.map((object) => dump(object, { noRefs: true })).join('---\n');
}

async function check(...objects: readonly object[]) {
  const { code, stdout, stderr } = await cappol(['check', '-f', '-', '-o', 'json'], yaml(...objects));
  return { code, stderr, items: JSON.parse(stdout).items };
}

function pod(container: object, spec: object = {}): object {
  return podManifest({ name: 'a' }, { containers: [{ name: 'main', image: 'app', ...container }], ...spec });
}

const ADDS = writtenPolicy('adds', {
  level: 'privileged',
  overrides: {
    privileged: true,
    capabilities: { allowedAdd: ['NET_RAW'] },
    supplementalGroups: { rule: 'MustRunAs', ranges: [{ min: 1, max: 9 }] },
  },
});
const BASELINE = writtenPolicy('base', { level: 'baseline' });

/** Manifests with nulls. The API server reads these nulls as an empty text or as 0. */
const SCALARS: readonly (readonly [what: string, pod: object, rule: string, message: RegExp, warning: RegExp])[] = [
  [
    'securityContext.capabilities.add',
    pod({ securityContext: { capabilities: { add: ['NET_RAW', null] } } }),
    'capabilities',
    /must not add capability /,
    /warning: Pod a: spec\.containers\[0\]\.securityContext\.capabilities\.add\[1\]: null, which the API server reads as ""$/m,
  ],
  [
    'securityContext.supplementalGroups',
    pod({}, { securityContext: { supplementalGroups: [null, 3] } }),
    'supplementalGroups',
    /0/,
    /warning: Pod a: spec\.securityContext\.supplementalGroups\[0\]: null, which the API server reads as 0$/m,
  ],
];

/**
 * Nulls in lists of objects. The API server reads a null in a list of objects as an empty object, and refuses the empty
 * object.
 */
const OBJECTS: readonly (readonly [path: string, pod: object])[] = [
  ['spec.containers[1]', podManifest({ name: 'a' }, { containers: [{ name: 'main', image: 'app' }, null] })],
  ['spec.initContainers[0]', pod({}, { initContainers: [null] })],
  ['spec.volumes[0]', pod({}, { volumes: [null] })],
  ['spec.containers[0].ports[0]', pod({ ports: [null] })],
  ['spec.securityContext.sysctls[0]', pod({}, { securityContext: { sysctls: [null] } })],
];

describe('a null', () => {
  for (const [what, manifest, rule, message, warning] of SCALARS) {
    it(`in ${what} is evaluated as the API server reads it, with a warning`, async () => {
      const { code, stderr, items } = await check(ADDS, manifest);
      assert.equal(code, 1);
      assert.equal(items[0].violations[0].rule, rule);
      assert.match(items[0].violations[0].message, message);
      assert.match(stderr, warning);
    });
  }

  for (const [path, manifest] of OBJECTS) {
    it(`at ${path} is an error, and the pod is evaluated all the same`, async () => {
      const { code, stderr, items } = await check(BASELINE, manifest);
      assert.equal(code, 2);
      assert.match(
        stderr,
        new RegExp(`Pod a: ${path.replaceAll(/[.[\]]/g, '\\$&')}: Invalid value: null: must be of type object`),
      );
      assert.equal(items.length, 1);
    });
  }

  it('a null in a template of a custom resource is evaluated like a null in a Pod, with a warning', async () => {
    const template = {
      spec: { containers: [{ name: 'a', image: 'a', securityContext: { capabilities: { add: [null] } } }, null] },
    };
    const kind = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' }, spec: { template } };
    const { code, stderr, items } = await check(ADDS, kind);
    assert.equal(code, 1);
    assert.equal(items[0].verdict, 'Violating');
    assert.match(
      stderr,
      /warning: Widget w: spec\.template\.spec\.containers\[0\]\.securityContext\.capabilities\.add\[0\]: null/,
    );
  });

  it('a null as a label of a namespace counts as an empty text', async () => {
    const selecting = writtenPolicy('team', {
      level: 'baseline',
      namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] },
    });
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'net', labels: { team: null } } };
    const bad = podManifest(
      { name: 'a', namespace: 'net' },
      { hostNetwork: true, containers: [{ name: 'a', image: 'a' }] },
    );
    const { code, stderr, items } = await check(selecting, namespace, bad);
    assert.deepEqual([code, stderr, items[0].verdict], [1, '', 'Violating']);
  });

  it('check finds 100,000 nulls quickly, and names only the first nulls', async () => {
    const add = Array.from({ length: 100_000 }, () => null);
    let stderr = '';
    const ms = await cpuMs(async () => {
      ({ stderr } = await check(BASELINE, pod({ securityContext: { capabilities: { add } } })));
    });
    assert.ok(ms < 5_000, `${ms} ms`);
    assert.equal(stderr.split('\n').length, 102);
    assert.match(stderr, /add\[100\]: 99900 more nulls in lists$/m);
  });

  it('check does not end when a null or a missing required field is in a pod', async () => {
    const overrides = {
      privileged: true,
      hostPorts: [{ min: 1, max: 2 }],
      hostPaths: [{ pathPrefix: '/a', readOnly: true }],
      sysctls: { allowed: ['a'] },
    };
    const strict = writtenPolicy('strict', { level: 'privileged', overrides });
    const volumes = [{ name: 'v', hostPath: { path: '/a' } }];
    const manifest = pod(
      { ports: [{ name: 'p' }, { containerPort: null }], volumeMounts: [{ mountPath: '/b' }, null] },
      { hostNetwork: true, volumes, securityContext: { sysctls: [{ value: '1' }, { name: null }, null] } },
    );
    const { items } = await check(strict, manifest);
    assert.deepEqual(
      items[0].violations.map(({ rule }: { rule: string }) => rule),
      ['sysctls'],
    );
  });

  it('as a field is an absent field', async () => {
    const manifest = pod(
      { securityContext: { privileged: null, capabilities: { add: null } } },
      { hostNetwork: null, volumes: null },
    );
    assert.deepEqual((await check(BASELINE, manifest)).stderr, '');
    assert.equal((await check(BASELINE, manifest)).code, 0);
  });

  for (const [path, spec] of [
    ['spec.overrides.capabilities.allowedAdd[1]', { overrides: { capabilities: { allowedAdd: ['NET_RAW', null] } } }],
    ['spec.subjects[0]', { usableBy: 'Subjects', subjects: [null, { kind: 'User', name: 'jane' }] }],
    ['spec.containers[0]', { containers: [null] }],
    [
      'spec.namespaceSelector.matchExpressions[0].values[1]',
      { namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b', null] }] } },
    ],
  ] as const) {
    it(`at ${path} of a policy is an error`, async () => {
      const { code, stderr } = await check(writtenPolicy('p', spec), pod({}));
      assert.equal(code, 2);
      assert.match(
        stderr,
        new RegExp(`CapabilityPolicy p: ${path.replaceAll(/[.[\]]/g, '\\$&')}: Invalid value: null`),
      );
    });
  }
});
