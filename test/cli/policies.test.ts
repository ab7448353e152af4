/**
 * Tests that cappol validates a policy from a file as the API server does. A test with an API server uses the same
 * table of cases. This test needs no API server.
 */
import assert from 'node:assert/strict';
import { validatePolicy } from '../../analysis/policies/validate.ts';
import { SPEC_DEFAULTS } from '../../operator/api/spec-defaults.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import { BAD_INPUT, GOOD_INPUT, policyOf } from '../crd/bad-input.ts';

/** A policy in the form of a parsed file, which has no undefined fields. */
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

  it('validation returns a policy from a file as the API server stores it, without filled-in defaults', () => {
    assert.deepEqual(validatePolicy(read({})).policy, read({}));
  });

  it('validation gives the same answer for stated defaults as for omitted defaults', () => {
    const answers = (row: Parameters<typeof policyOf>[0]) => validatePolicy(read(row)).problems;
    for (const row of [...GOOD_INPUT, ...BAD_INPUT]) {
      assert.deepEqual(answers({ ...row, spec: { ...SPEC_DEFAULTS, ...row.spec } }), answers(row), row.title);
    }
  });

  it('may not have an unknown field', () => {
    const { problems } = validatePolicy(read({ spec: { overrides: { capabilites: {} } } }));
    assert.match(
      problems[0]?.message ?? '',
      /^spec\.overrides\.capabilites: no such field: did you mean capabilities\? the known fields are .*capabilities/,
    );
  });
});
