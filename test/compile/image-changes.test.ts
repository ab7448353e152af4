import assert from 'node:assert/strict';
import { compile } from '../../operator/compile/compile.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { policy } from '../support/policies.ts';
import { AdmissionText } from './admission-text.ts';

const EXCEPTION = { names: ['proxy'], overrides: { capabilities: { allowedAdd: ['NET_ADMIN'] } } };
const MESH = policy('mesh', { level: 'baseline', containers: [{ ...EXCEPTION, images: ['h/proxy:*'] }] });
const ANY_IMAGE = policy('mesh', { level: 'baseline', containers: [EXCEPTION] });

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

function operations(one: typeof MESH): string[] {
  const { rendered } = compile([one], {
    oldestServer: NEWEST_KNOWN_MINOR,
    operatorNamespace: 'operator',
    excludedNamespaces: [],
  });
  const binding = rendered.get('mesh')?.admission.objects.find(({ metadata }) => metadata.name.endsWith('-pods'));
  assert.ok(binding);
  const { matchResources } = binding.spec as { matchResources: { resourceRules: Record<string, string[]>[] } };
  return matchResources.resourceRules.map(({ operations = [], resources = [] }) => `${operations} ${resources}`);
}

describe('a change of an image', () => {
  for (const server of [NEWEST_KNOWN_MINOR, 30]) {
    describe(`on a server of 1.${server}`, () => {
      const text = new AdmissionText([MESH], 'mesh', server);
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
        ['is not judged where a pod that violates keeps its image', pod('x'), pod('x', { labels: { a: 'b' } }), true],
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

  it('is matched only by policies that name images', () => {
    assert.deepEqual(operations(ANY_IMAGE), ['CREATE pods', 'UPDATE pods/ephemeralcontainers']);
    assert.deepEqual(operations(MESH), ['CREATE pods', 'UPDATE pods/ephemeralcontainers', 'UPDATE pods']);
  });
});
