/** The JSON Schema for editors, on the same tables of input as the CRD itself. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { load } from 'js-yaml';
import { typeProblems } from '../../cli/schema/problems.ts';
import { jsonSchema } from '../../hack/generate/json-schema.ts';
import { ROOT } from '../support/page.ts';
import { BAD_INPUT, GOOD_INPUT, policyOf } from './bad-input.ts';

const FILE = 'docs/reference/capabilitypolicy.schema.json';
/** The rows of bad input that only the API server refuses: rules of CEL that are not translated, by title. */
const ONLY_CEL = join(import.meta.dirname, 'golden', 'only-cel.txt');

describe('the JSON Schema of a policy', () => {
  const text = readFileSync(join(ROOT, FILE), 'utf8');
  const validate = new Ajv({ allErrors: true, strictTypes: false }).compile(JSON.parse(text));
  const accepts = (policy: unknown) => validate(JSON.parse(JSON.stringify(policy)));

  it('is what `npm run generate` makes of the CRD', () => {
    const crd = load(readFileSync(join(ROOT, 'crds/capabilitypolicies.yaml'), 'utf8'));
    assert.equal(text, jsonSchema(crd as Parameters<typeof jsonSchema>[0]));
  });

  it('accepts what the CRD accepts', () => {
    for (const input of GOOD_INPUT)
      assert.ok(accepts(policyOf(input, 'good')), `${input.title}: ${JSON.stringify(validate.errors)}`);
    for (const sample of ['ping', 'restricted', 'audit-everything', 'baseline-no-net-raw'])
      assert.ok(accepts(load(readFileSync(join(ROOT, 'config/samples', `${sample}.yaml`), 'utf8'))), sample);
  });

  it('refuses what the CRD refuses, but for the listed rules of CEL', () => {
    const accepted = BAD_INPUT.filter((input) => accepts(policyOf(input, 'bad')));
    const list = `${accepted.map(({ title }) => title).join('\n')}\n`;
    if (process.env.UPDATE_GOLDEN) writeFileSync(ONLY_CEL, list);
    assert.equal(list, readFileSync(ONLY_CEL, 'utf8'));
  });

  it('refuses each row that the CRD refuses by its schema', () => {
    const schema = JSON.parse(readFileSync(join(ROOT, 'operator/api/generated/schema.json'), 'utf8'));
    const bySchema = BAD_INPUT.filter((input) => typeProblems(policyOf(input, 'bad'), schema).length > 0);
    assert.ok(bySchema.length > 0);
    for (const input of bySchema) assert.ok(!accepts(policyOf(input, 'bad')), input.title);
  });

  it('refuses an unknown field, another kind, and a policy without a name', () => {
    const policy = policyOf({}, 'a') as { metadata: object; spec: object };
    assert.ok(accepts(policy));
    assert.ok(!accepts({ ...policy, spec: { ...policy.spec, levels: 'restricted' } }));
    assert.ok(!accepts({ ...policy, kind: 'Pod' }));
    assert.ok(!accepts({ ...policy, metadata: {} }));
  });
});
