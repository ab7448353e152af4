import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import { CapabilityPolicy } from '../../operator/api/generated/capabilitypolicy.dev/v1alpha1/CapabilityPolicy.ts';
import { newPolicy } from '../../operator/api/model.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SAMPLES = join(ROOT, 'config', 'samples');

describe('the generated model', () => {
  it('is what crds/ gives', async () => {
    const script = join(ROOT, 'hack', 'generate', 'main.ts');
    await assert.doesNotReject(promisify(execFile)(process.execPath, [script, '--check']));
  });

  for (const name of samples()) {
    it(`validates the sample ${name}`, () => {
      sample(name).validate();
    });
  }

  it('covers every sample of the kustomization', () => {
    const { resources } = load(readFileSync(join(SAMPLES, 'kustomization.yaml'), 'utf8')) as { resources: string[] };
    assert.deepEqual(resources, samples());
  });

  it('refuses what the schema refuses', () => {
    const policy = sample('restricted.yaml');
    (policy.spec as { level: string }).level = 'strict';
    assert.throws(() => policy.validate(), /spec\/level must be equal to one of the allowed values/);
  });

  it('is the plain object again as JSON', () => {
    const plain = load(readFileSync(join(SAMPLES, 'ping.yaml'), 'utf8'));
    assert.deepEqual(JSON.parse(JSON.stringify(sample('ping.yaml'))), plain);
  });
});

describe('a policy that migrate and suggest write', () => {
  it('newPolicy returns a plain object instead of an instance of the generated model', () => {
    const spec = { namespaceSelector: {}, level: 'baseline' as const };
    const policy = newPolicy('written', spec);
    assert.deepEqual(policy, {
      apiVersion: 'capabilitypolicy.dev/v1alpha1',
      kind: 'CapabilityPolicy',
      metadata: { name: 'written' },
      spec,
    });
    assert.equal(Object.getPrototypeOf(policy), Object.prototype);
  });

  it('newPolicy fails when the schema refuses the policy', () => {
    const spec = { namespaceSelector: {}, level: 'baseline', overrides: { hostPorts: [{ min: -1, max: 5 }] } } as const;
    assert.throws(() => newPolicy('wrong', spec as never), /hostPorts\/0\/min must be >= 1/);
  });
});

function samples(): string[] {
  return readdirSync(SAMPLES)
    .filter((name) => name !== 'kustomization.yaml')
    .sort();
}

function sample(name: string): CapabilityPolicy {
  return new CapabilityPolicy(load(readFileSync(join(SAMPLES, name), 'utf8')) as CapabilityPolicy);
}
