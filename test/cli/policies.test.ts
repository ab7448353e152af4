/** A policy from a file is held to what the API server holds it to: the same table, without an API server. */
import assert from 'node:assert/strict';
import { validatePolicy } from '../../operator/cli/policies/validate.ts';
import type { RawObject } from '../../operator/cluster/raw.ts';
import { BAD_INPUT, GOOD_INPUT, policyOf } from '../crd/bad-input.ts';

/** As it comes from a file: without what is undefined. */
function read(row: Parameters<typeof policyOf>[0]): RawObject {
  return JSON.parse(JSON.stringify(policyOf(row, 'policy'))) as RawObject;
}

describe('a policy from a file', () => {
  for (const row of GOOD_INPUT) {
    it(`may have ${row.title}`, () => assert.deepEqual(validatePolicy(read(row)).problems, []));
  }

  for (const row of BAD_INPUT) {
    it(`may not have ${row.title}`, () => {
      const { policy, problems } = validatePolicy(read(row));
      assert.equal(policy, undefined);
      const told = problems.map(({ message }) => message);
      assert.ok(
        told.some((message) => row.answer.test(message)),
        `${row.answer} is not in:\n${told.join('\n')}`,
      );
    });
  }

  it('comes out as the API server stores it, its defaults set', () => {
    assert.deepEqual(validatePolicy(read({})).policy?.spec, {
      namespaceSelector: {},
      level: 'restricted',
      levelVersion: 'latest',
      mode: 'Audit',
      priority: 0,
      usableBy: 'Everyone',
      defaulting: 'Disabled',
      podSecurityLabels: 'Managed',
    });
  });

  it('may not have a field that nobody knows', () => {
    const { problems } = validatePolicy(read({ spec: { overrides: { capabilites: {} } } }));
    assert.match(
      problems[0]?.message ?? '',
      /^spec\.overrides\.capabilites: no such field: did you mean capabilities\? known here are .*capabilities/,
    );
  });
});
