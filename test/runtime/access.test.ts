import assert from 'node:assert/strict';
import { authorized } from '../../operator/runtime/access.ts';
import { FakeClock } from './fake-clock.ts';

const EXTRA = { 'authentication.kubernetes.io/pod-name': ['prometheus-0'] };

/**
 * A fake API server that accepts two tokens. The user of `scraper` may read /metrics. The user of `stranger` may not
 * read /metrics.
 */
class Reviews {
  readonly asked: { path: string; spec: Record<string, unknown> }[] = [];
  failing = false;
  hanging: Promise<void> | undefined;

  async create(path: string, object: unknown): Promise<unknown> {
    const { spec } = object as { spec: Record<string, unknown> };
    this.asked.push({ path, spec });
    await this.hanging;
    if (this.failing) throw new Error('no answer');
    if (path === '/apis/authentication.k8s.io/v1/tokenreviews') {
      const known = spec.token === 'scraper' || spec.token === 'stranger';
      if (!known) return { status: { authenticated: false, error: 'invalid' } };
      return { status: { authenticated: true, user: { username: spec.token, uid: 'u', groups: ['g'], extra: EXTRA } } };
    }
    assert.equal(path, '/apis/authorization.k8s.io/v1/subjectaccessreviews');
    return { status: { allowed: spec.user === 'scraper' } };
  }
}

describe('authorized', () => {
  let reviews: Reviews;
  let clock: FakeClock;
  let ask: (authorization?: string) => Promise<number | undefined>;

  beforeEach(() => {
    reviews = new Reviews();
    clock = new FakeClock();
    const handle = authorized(async () => ({ status: 200, body: 'shown' }), { client: reviews, clock });
    ask = async (authorization) => {
      const headers = authorization === undefined ? {} : { authorization };
      return (await handle({ path: '/metrics', query: new URLSearchParams(), headers }))?.status;
    };
  });

  const answers: [title: string, authorization: string | undefined, status: number, questions: number][] = [
    ['answers those who may read it', 'Bearer scraper', 200, 2],
    ['refuses those who may not', 'Bearer stranger', 403, 2],
    ['refuses unknown tokens', 'Bearer forged', 401, 1],
    ['sends no request without a token', undefined, 401, 0],
    ['takes no password', 'Basic c2NyYXBlcg==', 401, 0],
    ['sends no request for an impossible token', `Bearer ${'x'.repeat(20_000)}`, 401, 0],
  ];
  for (const [title, authorization, status, questions] of answers) {
    it(title, async () => {
      assert.equal(await ask(authorization), status);
      assert.equal(reviews.asked.length, questions);
    });
  }

  it("sends all of the API server's information about the user", async () => {
    await ask('Bearer scraper');
    assert.deepEqual(reviews.asked[1]?.spec, {
      user: 'scraper',
      uid: 'u',
      groups: ['g'],
      extra: EXTRA,
      nonResourceAttributes: { path: '/metrics', verb: 'get' },
    });
  });

  it('caches an answer of the API server for a minute, even a refusal', async () => {
    for (const [token, questions] of [
      ['scraper', 2],
      ['forged', 1],
    ] as const) {
      reviews.asked.length = 0;
      await Promise.all([ask(`Bearer ${token}`), ask(`Bearer ${token}`)]);
      await clock.advance(59_999);
      await ask(`Bearer ${token}`);
      assert.equal(reviews.asked.length, questions);
      await clock.advance(1);
      await ask(`Bearer ${token}`);
      assert.equal(reviews.asked.length, 2 * questions);
    }
  });

  it('does not cache the failure of a request to the API server', async () => {
    reviews.failing = true;
    await assert.rejects(ask('Bearer scraper'), /no answer/);
    reviews.failing = false;
    assert.equal(await ask('Bearer scraper'), 200);
  });

  it('limits the number of concurrent questions', async () => {
    const hanging = Promise.withResolvers<void>();
    reviews.hanging = hanging.promise;
    const asked = Array.from({ length: 20 }, (_, index) => ask(`Bearer forged-${index}`));
    const statuses = Promise.all(asked);
    hanging.resolve();
    assert.deepEqual((await statuses).map(String).sort(), [...Array(16).fill('401'), ...Array(4).fill('503')].sort());
    assert.equal(await ask('Bearer forged-19'), 401);
  });
});
