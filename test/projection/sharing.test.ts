import assert from 'node:assert/strict';
import type { PodContent } from '../../operator/model/objects.ts';
import { Recent } from '../../operator/model/recent.ts';
import { ContentPool, UNSHARED } from '../../operator/projection/sharing.ts';
import { collectGarbage } from '../support/garbage.ts';

const content = (name: string, annotations: Record<string, string> = {}): PodContent => ({
  annotations,
  spec: { containers: [{ name, securityContext: { capabilities: { add: ['CHOWN'] } } }] },
});
const copy = (text: string): PodContent => JSON.parse(text);

describe('ContentPool', () => {
  it('keeps equal content only once, and keeps no reference to the input', () => {
    const pool = new ContentPool();
    const first = content('app');
    const shared = pool.share(first, copy);
    assert.deepEqual(shared, first);
    assert.notEqual(shared.spec, first.spec);
    assert.equal(pool.share(content('app'), copy), shared);
    assert.notEqual(pool.share(content('other'), copy), shared);
    assert.equal(pool.size, 2);
  });

  it('has another spec for other annotations', () => {
    const pool = new ContentPool();
    const [plain, annotated] = [pool.share(content('app'), copy), pool.share(content('app', { a: 'b' }), copy)];
    assert.notEqual(plain.spec, annotated.spec);
    assert.deepEqual(annotated.annotations, { a: 'b' });
  });

  it('returns frozen values', () => {
    const { annotations, spec } = new ContentPool().share(content('app'), copy);
    const context = spec.containers[0]?.securityContext as { capabilities: { add: string[] } };
    for (const each of [annotations, spec, spec.containers, context, context.capabilities.add]) {
      assert.ok(Object.isFrozen(each));
    }
  });

  it('keeps content as long as a reference to the spec of the content exists', async () => {
    const pool = new ContentPool();
    const { spec } = pool.share(content('held'), copy);
    pool.share(content('dropped'), copy);
    await collectGarbage(() => pool.size === 1);
    assert.equal(pool.size, 1);
    assert.equal(pool.share(content('held'), copy).spec, spec);
    pool.share(content('dropped'), copy);
    assert.equal(pool.size, 2);
  });
});

describe('parts that are not shared', () => {
  it('parts that are not shared lose only nulls, even if a field is called __proto__', () => {
    const spec = JSON.parse('{"containers":[null,{"name":"app","ports":null,"__proto__":{"privileged":true}}]}');
    const shared = UNSHARED.share({ annotations: {}, spec }, copy);
    assert.equal(JSON.stringify(shared.spec), '{"containers":[{"name":"app","__proto__":{"privileged":true}}]}');
    assert.equal((shared.spec.containers[0] as Record<string, unknown>).privileged, undefined);
    assert.equal(UNSHARED.size, 0);
  });
});

describe('Recent', () => {
  it('returns the value that was made first, until Recent has dropped the value', () => {
    const recent = new Recent<string>(2);
    const made: string[] = [];
    const get = (key: string) =>
      recent.get(key, () => {
        made.push(key);
        return key.toUpperCase();
      });
    for (const key of ['a', 'b', 'a', 'b', 'c', 'a', 'a']) assert.equal(get(key), key.toUpperCase());
    assert.deepEqual(made, ['a', 'b', 'c', 'a']);
  });
});
