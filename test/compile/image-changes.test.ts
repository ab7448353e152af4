/**
 * Tests that programs evaluate a change of a pod's image like the creation of the pod, as Pod Security Admission does.
 * The rule is the same for all policies of a program.
 */
import assert from 'node:assert/strict';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy } from '../support/policies.ts';
import { compiledPrograms, programText } from './admission-text.ts';

const EXCEPTION = { names: ['proxy'], overrides: { capabilities: { allowedAdd: ['NET_ADMIN'] } } };
const MESH = policy('mesh', { level: 'baseline', containers: [{ ...EXCEPTION, images: ['h/proxy:*'] }] });
const NO_EXCEPTION = policy('mesh', { level: 'baseline' });

function pod(image: string, rest: { app?: string; labels?: object; add?: string[] } = {}) {
  const { app = 'h/app', labels = {}, add = ['NET_ADMIN'] } = rest;
  return {
    metadata: { labels },
    spec: {
      containers: [{ name: 'app', image: app }],
      initContainers: [{ name: 'proxy', image, securityContext: { capabilities: { add } } }],
    },
  };
}

describe('a change of an image', () => {
  for (const server of [NEWEST_KNOWN_MINOR, 30]) {
    describe(`on a server of 1.${server}`, () => {
      const text = programText([MESH], { oldestServer: server });
      const change = (before: object, after: object) =>
        text.refusal({ resource: 'pods', object: after, oldObject: before });
      const cases: readonly [title: string, before: object, after: object, admitted: boolean][] = [
        ['is admitted within the images of an entry', pod('h/proxy:1'), pod('h/proxy:2'), true],
        ['is refused beyond them', pod('h/proxy:1'), pod('h/other:1'), false],
        [
          'is admitted for a container that needs no exception',
          pod('h/proxy:1', { add: [] }),
          pod('x', { add: [] }),
          true,
        ],
        ['is admitted for another container', pod('h/proxy:1'), pod('h/proxy:1', { app: 'x' }), true],
        ['is refused for another container of a pod that violates', pod('x'), pod('x', { app: 'x' }), false],
        [
          'is not evaluated where a pod that violates keeps its images',
          pod('x'),
          pod('x', { labels: { a: 'b' } }),
          true,
        ],
      ];
      for (const [title, before, after, admitted] of cases) {
        it(title, () => {
          const refusal = change(before, after);
          if (admitted) assert.equal(refusal, undefined);
          else assert.match(String(refusal), /container "proxy" must not add capability NET_ADMIN/);
        });
      }
    });
  }

  for (const server of [NEWEST_KNOWN_MINOR, 30]) {
    describe(`of a pod that is older than a policy, on a server of 1.${server}`, () => {
      const text = programText([NO_EXCEPTION], { oldestServer: server });
      const [before, after] = [pod('h/proxy:1'), pod('h/proxy:2')];

      it('a change of an image is refused if the pod violates the policy, even if no entry names images', () => {
        const refusal = text.refusal({ resource: 'pods', object: after, oldObject: before });
        assert.match(String(refusal), /container "proxy" must not add capability NET_ADMIN/);
      });

      it('is admitted if the pod complies', () => {
        const [old, now] = [pod('x', { add: [] }), pod('y', { add: [] })];
        assert.equal(text.refusal({ resource: 'pods', object: now, oldObject: old }), undefined);
      });

      it('a change that sets the first image of a container is refused if the pod violates the policy', () => {
        const { image: _, ...proxy } = before.spec.initContainers[0] ?? {};
        const old = { ...before, spec: { ...before.spec, initContainers: [proxy] } };
        assert.notEqual(text.refusal({ resource: 'pods', object: after, oldObject: old }), undefined);
      });

      it('does not count in a status', () => {
        const request = { resource: 'pods', subResource: 'status', object: after, oldObject: before };
        assert.equal(text.refusal(request), undefined);
      });
    });
  }

  it('every binding that refuses pods matches a change of an image', () => {
    for (const one of [NO_EXCEPTION, MESH]) {
      const [program] = compiledPrograms([one], 'Enforce');
      const binding = program?.bindings.find(({ metadata }) => metadata.name.endsWith('-pods'));
      assert.ok(binding);
      const { matchResources } = binding.spec as { matchResources: { resourceRules: Record<string, string[]>[] } };
      assert.deepEqual(
        matchResources.resourceRules.map(({ operations = [], resources = [] }) => `${operations} ${resources}`),
        ['CREATE pods', 'UPDATE pods/ephemeralcontainers', 'UPDATE pods'],
      );
    }
  });
});
