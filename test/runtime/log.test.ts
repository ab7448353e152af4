import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { ApiError } from '../../operator/cluster/api-error.ts';
import { createLog, type Log, type LogOptions } from '../../operator/runtime/log.ts';

/** The text that the log writes while `write` runs. */
function said(write: (log: Log) => void, options: Omit<LogOptions, 'stream'> = {}): string {
  const stream = new PassThrough();
  write(createLog({ ...options, stream }));
  return String(stream.read() ?? '');
}

const entry = (keys: Record<string, unknown>) => JSON.parse(said((log) => log.info('said', keys)));

describe('createLog', () => {
  it('writes one JSON line for each entry, with time, level, message and keys', () => {
    const text = said((log) => {
      log.info('applied', { policy: 'ping', count: 2 });
      log.warn('conflict');
    });
    const [first, second, rest] = text.split('\n');
    const { time, ...parts } = JSON.parse(first ?? '');
    assert.match(time, /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(parts, { level: 'info', message: 'applied', policy: 'ping', count: 2 });
    assert.equal(JSON.parse(second ?? '').level, 'warn');
    assert.equal(rest, '');
  });

  it('keeps line breaks out of its lines', () => {
    assert.equal(said((log) => log.info('a\nb', { note: 'c\nd' })).split('\n').length, 2);
  });

  it('writes nothing below its level', () => {
    const text = said(
      (log) => {
        log.debug('x');
        log.info('x');
        log.error('shown');
      },
      { level: 'error' },
    );
    assert.equal(JSON.parse(text).message, 'shown');
  });

  it('a child log adds its keys to the keys of its parent, even if the parent is also a child log', () => {
    const text = said((log) => log.child({ policy: 'ping' }).child({ step: 'apply' }).info('done', { count: 1 }));
    const { policy, step, count } = JSON.parse(text);
    assert.deepEqual({ policy, step, count }, { policy: 'ping', step: 'apply', count: 1 });
  });

  it('shows an error with the parts and the cause of the error', () => {
    const causes = [{ reason: 'FieldManagerConflict', message: 'with "kubectl"', field: '.metadata.labels.a' }];
    const cause = new ApiError(
      { status: 409, reason: 'Conflict', message: 'conflict', causes },
      'PATCH /api/v1/namespaces/a',
    );
    const { error } = entry({ error: new Error('labels not set', { cause }) });
    assert.equal(error.message, 'labels not set');
    assert.match(error.stack, /^Error: labels not set\n {4}at /);
    const { stack: _, ...parts } = error.cause;
    assert.deepEqual(parts, {
      name: 'ApiError',
      message: 'conflict',
      request: 'PATCH /api/v1/namespaces/a',
      status: 409,
      reason: 'Conflict',
      causes,
    });
  });

  it('shows neither the request nor the response that an error of a library contains', () => {
    const error = Object.assign(new Error('failed'), {
      request: { url: 'x' },
      response: { headers: {} },
      code: 'ECONNRESET',
    });
    const { stack: _, ...parts } = entry({ error }).error;
    assert.deepEqual(parts, { name: 'Error', message: 'failed', code: 'ECONNRESET' });
  });

  const secrets: [title: string, keys: Record<string, unknown>][] = [
    ['an Authorization header', { Authorization: 'Bearer s3cret' }],
    ['a header deep inside', { request: { headers: { authorization: 's3cret' } } }],
    ['a token', { list: [{ token: 's3cret', refreshToken: 's3cret' }] }],
    ['a bearer token in a text', { note: 'sent Bearer s3cret to it' }],
    ['a bearer token in an error', { error: new Error('sent "Bearer s3cret"') }],
    ['a service account token', { note: 'eyJhbGciOiJSUzI1.s3cret.s3cret' }],
    ['a private key', { note: '-----BEGIN RSA PRIVATE KEY-----\ns3cret\n-----END RSA PRIVATE KEY-----' }],
    ['environment values', { container: { env: [{ name: 'KEY', value: 's3cret' }] } }],
  ];
  for (const [title, keys] of secrets) {
    it(`hides ${title}`, () => {
      const text = said((log) => log.child({ hidden: keys }).error('said', keys));
      assert.doesNotMatch(text, /s3cret/);
      assert.match(text, /\[redacted\]/);
    });
  }

  it('hides a token in the message itself', () => {
    assert.doesNotMatch(
      said((log) => log.info('got Bearer s3cret')),
      /s3cret/,
    );
  });

  it('does not change the given object', () => {
    const keys = { request: { token: 's3cret' } };
    entry(keys);
    assert.deepEqual(keys, { request: { token: 's3cret' } });
  });

  it('survives a circular object', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    assert.equal(entry({ circle }).message, 'said');
  });

  it('writes for people on request', () => {
    const text = said((log) => log.warn('conflict', { policy: 'ping', error: new Error('no') }), { format: 'console' });
    assert.match(
      text,
      /^\d\d:\d\d:\d\d\.\d{3} WARN {2}conflict policy="ping" error=\{"name":"Error","message":"no"\}\n$/,
    );
  });
});
