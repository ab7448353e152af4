import assert from 'node:assert/strict';
import {
  ApiError,
  isConflict,
  isExpired,
  isNotFound,
  parseError,
  parseErrorEvent,
} from '../../operator/cluster/api-error.ts';
import { pathFor, pathOf } from '../../operator/cluster/paths.ts';

const status = (parts: object) => ({ kind: 'Status', apiVersion: 'v1', status: 'Failure', ...parts });

describe('parseError', () => {
  it('an apply conflict names the managers that own a field', () => {
    const body = status({
      message: 'Apply failed with 1 conflict: conflict with "kubectl" using v1: .metadata.labels.team',
      reason: 'Conflict',
      details: {
        causes: [
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "kubectl" using v1',
            field: '.metadata.labels.team',
          },
        ],
      },
      code: 409,
    });
    assert.deepEqual(parseError(409, JSON.stringify(body)), {
      status: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "kubectl" using v1: .metadata.labels.team',
      causes: [
        { reason: 'FieldManagerConflict', message: 'conflict with "kubectl" using v1', field: '.metadata.labels.team' },
      ],
    });
  });

  const retries: [header: string | undefined, inBody: number | undefined, seconds: number | undefined][] = [
    ['3', undefined, 3],
    ['3', 7, 3],
    [undefined, 7, 7],
    ['0', undefined, 0],
    [undefined, undefined, undefined],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined, undefined],
    ['', undefined, undefined],
  ];
  for (const [header, inBody, seconds] of retries) {
    it(`Retry-After ${header ?? 'absent'}, in the body ${inBody ?? 'absent'}: ${seconds ?? 'unknown'}`, () => {
      const body = JSON.stringify(status({ details: { retryAfterSeconds: inBody } }));
      assert.equal(parseError(429, body, header).retryAfterSeconds, seconds);
    });
  }

  const foreign: [title: string, body: string, message: string][] = [
    ['plain text', 'upstream connect error\n', 'upstream connect error'],
    ['nothing', '', 'HTTP status 502'],
    ['other JSON', '[]', '[]'],
    ['a long page', 'x'.repeat(2000), 'x'.repeat(500)],
  ];
  for (const [title, body, message] of foreign) {
    it(`recognizes ${title}`, () => {
      assert.deepEqual(parseError(502, body), { status: 502, reason: 'Unknown', message, causes: [] });
    });
  }

  it('reads the error event of a watch', () => {
    const parts = parseErrorEvent(status({ code: 410, reason: 'Expired', message: 'too old resource version: 1 (9)' }));
    assert.equal(parts.status, 410);
    assert.equal(parts.message, 'too old resource version: 1 (9)');
  });

  it('tells errors apart', () => {
    const error = (code: number, reason: string) => new ApiError(parseError(code, JSON.stringify(status({ reason }))));
    assert.equal(isNotFound(error(404, 'NotFound')), true);
    assert.equal(isConflict(error(409, 'Conflict')), true);
    assert.equal(isExpired(error(410, 'Gone')), true);
    assert.equal(isExpired(error(504, 'Timeout')), false);
    assert.equal(isNotFound(new Error('404')), false);
  });
});

describe('pathFor', () => {
  const paths: [parts: Parameters<typeof pathFor>, path: string][] = [
    [['v1', 'Pod'], '/api/v1/pods'],
    [['v1', 'Pod', 'net'], '/api/v1/namespaces/net/pods'],
    [['v1', 'Pod', 'net', 'a'], '/api/v1/namespaces/net/pods/a'],
    [['v1', 'Namespace', undefined, 'net'], '/api/v1/namespaces/net'],
    [['batch/v1', 'CronJob', 'net', 'a'], '/apis/batch/v1/namespaces/net/cronjobs/a'],
    [
      ['rbac.authorization.k8s.io/v1', 'ClusterRole', undefined, 'capabilitypolicy.dev:use:a'],
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/capabilitypolicy.dev%3Ause%3Aa',
    ],
  ];
  for (const [parts, path] of paths) {
    it(path, () => assert.equal(pathFor(...parts), path));
  }

  it('ignores the namespace of a cluster-scoped object', () => {
    const metadata = { name: 'ping', namespace: 'net' };
    const path = pathOf({ apiVersion: 'capabilitypolicy.dev/v1alpha1', kind: 'CapabilityPolicy', metadata });
    assert.equal(path, '/apis/capabilitypolicy.dev/v1alpha1/capabilitypolicies/ping');
  });

  it('refuses an unknown kind, and a namespaced object without a namespace', () => {
    assert.throws(() => pathFor('v1', 'Deployment'), /no path is known for kind Deployment of v1/);
    assert.throws(() => pathFor('v1', 'Pod', undefined, 'a'), /Pod "a" needs a namespace/);
  });
});
