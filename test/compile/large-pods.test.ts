/** Tests very large pods. The API server evaluates a large pod in blocks, and describes only a part of the pod. */
import assert from 'node:assert/strict';
import { blocksOf, CUT, POSITIONS } from '../../operator/compile/units-cel.ts';
import { policy } from '../support/policies.ts';
import { engine, programText, violationsIn } from './admission-text.ts';

const BLOCK = 256;
const SECURE = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};
const text = programText([policy('restricted', { level: 'restricted' })]);
const [left] = engine.run(CUT, { unit: { cut: true } }) as string[];

const many = <Item>(count: number, item: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, i) => item(i));

/** @param bad the index of the violating container, and the index of the violating volume */
function pod(size: { containers?: number; volumes?: number }, bad: { container?: number; volume?: number } = {}) {
  const containers = many(size.containers ?? 1, (i) => ({
    name: `c${i}`,
    securityContext: { ...SECURE, privileged: i === bad.container },
  }));
  const volumes = many(size.volumes ?? 0, (i) => ({
    name: `v${i}`,
    ...(i === bad.volume ? { nfs: { server: 'a', path: '/' } } : { emptyDir: {} }),
  }));
  return { resource: 'pods', object: { spec: { containers, volumes } } };
}

describe('a list in blocks', () => {
  for (const [size, blocks] of [
    [0, 1],
    [1, 1],
    [BLOCK, 1],
    [BLOCK + 1, 2],
    [2 * BLOCK, 2],
    [2 * BLOCK + 1, 3],
    [64 * BLOCK, 64],
  ] as const) {
    it(`of ${size} items has all of them, in their order, in ${blocks}`, () => {
      const list = many(size, (i) => i);
      const variables = { positions: engine.run(POSITIONS, {}), list };
      const found = engine.run(blocksOf('variables.list'), { variables }) as number[][];
      assert.equal(found.length, blocks);
      assert.deepEqual(found.flat(), list);
    });
  }
});

describe('a large pod', () => {
  for (const [title, request, expected] of [
    ['256 containers, the last violates', pod({ containers: 256 }, { container: 255 }), ['c255']],
    ['257 containers, the last violates', pod({ containers: 257 }, { container: 256 }), [left]],
    ['257 containers, the last but one violates', pod({ containers: 257 }, { container: 255 }), ['c255', left]],
    ['1,000 containers, the first violates', pod({ containers: 1000 }, { container: 0 }), ['c0', left]],
    ['256 volumes, the last violates', pod({ volumes: 256 }, { volume: 255 }), ['v255']],
    ['257 volumes, the last violates', pod({ volumes: 257 }, { volume: 256 }), [left]],
    ['1,000 volumes, the first violates', pod({ volumes: 1000 }, { volume: 0 }), ['v0', left]],
  ] as const) {
    it(`is refused, and the message describes 256 of each: ${title}`, () => {
      const prefix = 'CapabilityPolicy restricted: ';
      const message = text.refusal(request) ?? '';
      assert.ok(message.startsWith(prefix));
      const lines = violationsIn(text, request);
      assert.equal(message.slice(prefix.length), lines.join('; '));
      assert.deepEqual(
        lines.map((line) => (/"([cv]\d+)"/.exec(line) ?? [])[1] ?? line),
        expected,
      );
    });
  }

  for (const [title, request] of [
    ['257 containers', pod({ containers: 257 })],
    ['1,000 containers', pod({ containers: 1000 })],
    ['1,000 volumes', pod({ volumes: 1000 })],
  ] as const) {
    it(`that complies is admitted: ${title}`, () => {
      assert.equal(text.refusal(request), undefined);
    });
  }
});

describe('a change of a pod of 3,000 containers', () => {
  const { object } = pod({ containers: 3_000 }, { container: 0 });
  const changed = (image: string) => ({
    ...object,
    spec: { ...object.spec, containers: object.spec.containers.map((c, i) => (i === 2_999 ? { ...c, image } : c)) },
  });
  const [before, after] = [changed('a'), changed('b')];

  it('the change costs less than the budget for match conditions, and only a change of an image is evaluated', () => {
    for (const [now, isEvaluated] of [
      [{ ...before, metadata: { labels: { a: 'b' } } }, false],
      [after, true],
    ] as const) {
      const request = { resource: 'pods', object: now, oldObject: before };
      // The cost limit is RuntimeCELCostBudgetMatchConditions in k8s.io/apiserver/pkg/apis/cel/config.go.
      assert.equal(
        engine.within(2_500_000, () => text.matches(request)),
        isEvaluated,
      );
    }
  });
});

describe('a message about a long list', () => {
  const request = (container: object, spec: object = {}) => ({
    resource: 'pods',
    object: { spec: { containers: [container], ...spec } },
  });
  const message = (fields: object) => {
    const container = { name: 'app', securityContext: SECURE, ...fields };
    return violationsIn(text, request(container)).join('; ');
  };
  const ports = (count: number) => ({ ports: many(count, (i) => ({ containerPort: 1, hostPort: i + 1 })) });
  const adds = (count: number) => ({
    securityContext: { ...SECURE, capabilities: { drop: ['ALL'], add: many(count, (i) => `X${i}`) } },
  });
  const sysctls = (count: number) =>
    request(
      { name: 'app', securityContext: SECURE },
      { securityContext: { sysctls: many(count, (i) => ({ name: `x.y${i}`, value: '1' })) } },
    );

  it('a message names all ports or sysctls, even if there are 256, and as many capabilities as a list may have', () => {
    assert.match(
      message(ports(256)),
      /^hostPorts: container "app" must not use hostPort 1, 2, .*, 256 \(allowed: none\)$/,
    );
    assert.match(message(adds(84)), /must not add capability X0, X1, .*, X83 \(allowed: NET_BIND_SERVICE\)$/);
    assert.match(String(violationsIn(text, sysctls(256))), /must not set sysctl x\.y0, .*, x\.y255 \(allowed: /);
  });

  it('says that there are more than 256', () => {
    const more = 'in a list of more than 256';
    assert.equal(message(ports(257)), `hostPorts: container "app" must not use hostPort ${more} (allowed: none)`);
    assert.match(
      String(violationsIn(text, sysctls(257))),
      /^sysctls: pod must not set sysctl in a list of more than 256 \(allowed: /,
    );
  });
});
