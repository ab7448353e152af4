import assert from 'node:assert/strict';
import fc from 'fast-check';
import { disclosed } from '../../analysis/snapshot/disclosed.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { app } from '../support/pods.ts';
import { resolved, resolvedBaseline } from '../support/policies.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { arbitraryPod, arbitraryPolicy } from '../support/random-policies.ts';

type Fields = Readonly<Record<string, unknown>>;

const evaluator = new Evaluator();

describe('disclosed content of a pod', () => {
  it('the disclosed content breaks the same rules as the whole pod', () => {
    const pods = fc.oneof(arbitraryPod, randomPods().map(contentOf));
    fc.assert(
      fc.property(arbitraryPolicy, pods, (policy, content) => {
        assert.deepEqual(evaluator.violations(disclosed(content), policy), evaluator.violations(content, policy));
      }),
      { numRuns: 100 },
    );
  });

  const baseline = resolvedBaseline('baseline');
  const narrow = resolved('narrow', {
    level: 'privileged',
    overrides: { hostPaths: [{ pathPrefix: '/var' }], csiDrivers: ['a'], flexVolumeDrivers: ['a'] },
  });
  const rows: [title: string, fields: Fields, spec: Fields, policy: typeof baseline][] = [
    ['the host of a probe', { livenessProbe: { tcpSocket: { host: '10.0.0.1', port: 1 } } }, {}, baseline],
    ['the host of a handler', { lifecycle: { preStop: { httpGet: { host: '10.0.0.1', path: '/' } } } }, {}, baseline],
    ['the path of a hostPath', {}, { volumes: [{ name: 'v', hostPath: { path: '/etc' } }] }, narrow],
    ['the driver of a CSI volume', {}, { volumes: [{ name: 'v', csi: { driver: 'b' } }] }, narrow],
    [
      'a type of volume with the name of an inherited property',
      {},
      { volumes: [{ name: 'v', constructor: {} }] },
      resolved('types', { level: 'privileged', overrides: { volumes: ['emptyDir'] } }),
    ],
    ['the driver of a flexVolume', {}, { volumes: [{ name: 'v', flexVolume: { driver: 'b' } }] }, narrow],
  ];
  for (const [title, fields, spec, policy] of rows) {
    it(`keep ${title}`, () => {
      const content = app(fields, spec);
      const broken = evaluator.violations(content, policy);
      assert.equal(broken.length, 1);
      assert.deepEqual(evaluator.violations(disclosed(content), policy), broken);
    });
  }
});
