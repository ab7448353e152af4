/** Tests the JSON Schema for editors with the tables of input for the CRD. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { validatePolicy } from '../../analysis/policies/validate.ts';
import { typeProblems } from '../../analysis/schema/problems.ts';
import { jsonSchema } from '../../hack/generate/json-schema.ts';
import { LEVELS } from '../../operator/standards/level-version.ts';
import { ROOT } from '../support/page.ts';
import { arbitraryOverrides } from '../support/random-policies.ts';
import { BAD_INPUT, GOOD_INPUT, policyOf } from './bad-input.ts';

const FILE = 'docs/reference/capabilitypolicy.schema.json';
const RUNS = Number(process.env.FC_RUNS ?? 500);
const IDENTITY = {
  apiVersion: 'capabilitypolicy.dev/v1alpha1',
  kind: 'CapabilityPolicy',
  metadata: { name: 'random' },
};
/**
 * The file with the titles of the bad inputs that only the API server refuses. The API server refuses these inputs by
 * CEL rules. The JSON Schema has no CEL rules.
 */
const ONLY_CEL = join(import.meta.dirname, 'golden', 'only-cel.txt');

describe('the JSON Schema of a policy', () => {
  const text = readFileSync(join(ROOT, FILE), 'utf8');
  const validate = new Ajv({ allErrors: true, strictTypes: false }).compile(JSON.parse(text));
  const accepts = (policy: unknown) => validate(JSON.parse(JSON.stringify(policy)));

  it('the JSON Schema equals the output of `npm run generate` for the CRD', () => {
    const crd = load(readFileSync(join(ROOT, 'crds/capabilitypolicies.yaml'), 'utf8'));
    assert.equal(text, jsonSchema(crd as Parameters<typeof jsonSchema>[0]));
  });

  it('accepts what the CRD accepts', () => {
    for (const input of GOOD_INPUT)
      assert.ok(accepts(policyOf(input, 'good')), `${input.title}: ${JSON.stringify(validate.errors)}`);
    for (const sample of ['ping', 'restricted', 'audit-everything', 'baseline-no-net-raw'])
      assert.ok(accepts(load(readFileSync(join(ROOT, 'config/samples', `${sample}.yaml`), 'utf8'))), sample);
  });

  it('the JSON Schema accepts each random policy that the CRD accepts', () => {
    const fields = fc.record({
      overrides: few(arbitraryOverrides),
      containers: few(arbitraryOverrides).map((overrides) => [{ names: ['a'], overrides }]),
      mode: fc.constantFrom('Enforce', 'Warn', 'Audit'),
      defaulting: fc.constantFrom('Disabled', 'FillRequired', 'AsPodSecurityPolicy'),
      usableBy: fc.constantFrom('Everyone', 'Subjects'),
      subjects: fc.constantFrom([], [{ kind: 'ServiceAccount', namespace: 'a', name: 'b' }]),
      rollout: fc.constant({ soak: '1h' }),
      expires: fc.constantFrom('2027-02-28T00:00:00Z', '2028-02-29T00:00:00Z', '2027-02-30T00:00:00Z'),
    });
    const spec = fc
      .tuple(fc.constantFrom(...LEVELS), few(fields))
      .map(([level, rest]) => ({ namespaceSelector: {}, level, ...rest }));
    let accepted = 0;
    const property = fc.property(spec, (one) => {
      const policy = JSON.parse(JSON.stringify({ ...IDENTITY, spec: one }));
      if (validatePolicy(policy).problems.length > 0) return;
      accepted += 1;
      assert.ok(accepts(policy), JSON.stringify(validate.errors));
    });
    fc.assert(property, { numRuns: RUNS });
    assert.ok(accepted > RUNS / 10, `${accepted} of ${RUNS}`);
  });

  it('the JSON Schema refuses all inputs that the CRD refuses, apart from the listed inputs that CEL rules refuse', () => {
    const accepted = BAD_INPUT.filter((input) => accepts(policyOf(input, 'bad')));
    const list = `${accepted.map(({ title }) => title).join('\n')}\n`;
    if (process.env.UPDATE_GOLDEN) writeFileSync(ONLY_CEL, list);
    assert.equal(list, readFileSync(ONLY_CEL, 'utf8'));
  });

  it('the JSON Schema refuses each row that the schema of the CRD refuses', () => {
    const schema = JSON.parse(readFileSync(join(ROOT, 'operator/api/generated/schema.json'), 'utf8'));
    const bySchema = BAD_INPUT.filter((input) => typeProblems(policyOf(input, 'bad'), schema).length > 0);
    assert.ok(bySchema.length > 0);
    for (const input of bySchema) assert.ok(!accepts(policyOf(input, 'bad')), input.title);
  });

  it('the JSON Schema refuses an unknown field, another kind, and a policy without a name', () => {
    const policy = policyOf({}, 'a') as { metadata: object; spec: object };
    assert.ok(accepts(policy));
    assert.ok(!accepts({ ...policy, spec: { ...policy.spec, levels: 'restricted' } }));
    assert.ok(!accepts({ ...policy, kind: 'Pod' }));
    assert.ok(!accepts({ ...policy, metadata: {} }));
  });
});

/**
 * Returns values that have at most four of the fields. A value with all fields nearly always breaks some rule of the
 * schema.
 */
function few<Value extends object>(all: fc.Arbitrary<Value>): fc.Arbitrary<Partial<Value>> {
  return all.chain((value) =>
    fc
      .subarray(Object.entries(value), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries) as Partial<Value>),
  );
}
