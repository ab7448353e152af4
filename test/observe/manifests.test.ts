/**
 * Tests that the policy in config/observe admits the Job of `cappol observe --cluster`. The policy must admit only what
 * the Job needs.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { observerJob } from '../../analysis/observe/job.ts';
import type { CapabilityPolicy } from '../../operator/api/capability-policy.ts';
import { cappol } from '../support/cappol.ts';
import { ROOT } from '../support/page.ts';

const POLICY = join(ROOT, 'config', 'observe', 'policy.yaml');
const policy = load(readFileSync(POLICY, 'utf8')) as CapabilityPolicy;
const JOB = observerJob({ name: 'observe', image: 'cappol', seconds: 60, count: 3, nodes: ['a', 'b', 'c'] });
/**
 * The overrides that admit more than the level of the policy. The other overrides admit less than the level of the
 * policy.
 */
const OPENING = ['hostPID', 'volumes', 'runAsNonRoot'];

describe('the policy in config/observe', () => {
  it('admits the Job', async () => {
    const { code, stdout } = await cappol(['check', '-f', '-', '--policy', POLICY], dump(JOB));
    assert.match(stdout, /^1 workload evaluated against 1 policy: 1 compliant/m);
    assert.equal(code, 0);
  });

  for (const override of OPENING) {
    it(`does not admit it without ${override}`, async () => {
      const { [override as 'hostPID']: _removed, ...overrides } = policy.spec.overrides ?? {};
      const without = { ...policy, spec: { ...policy.spec, overrides } };
      const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-observe-'));
      try {
        const file = join(folder, 'policy.yaml');
        writeFileSync(file, dump(without));
        assert.equal((await cappol(['check', '-f', '-', '--policy', file], dump(JOB))).code, 1);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
});

describe('the Job of cappol observe --cluster', () => {
  const { spec } = JOB;

  it('the Job ends by itself after the time of the observation', () => {
    assert.ok(spec.activeDeadlineSeconds > 60);
    assert.ok(spec.template.spec.containers[0]?.args.includes('--for=60s'));
    assert.equal(spec.template.spec.restartPolicy, 'Never');
  });

  it('the Job has a pod for each node, and a failing pod does not end the other pods', () => {
    assert.deepEqual([spec.completions, spec.parallelism, spec.backoffLimitPerIndex], [3, 3, 0]);
  });

  it('the pods of the Job use only the process namespace of the node, and need no capability and no token', () => {
    const { containers, automountServiceAccountToken, ...pod } = spec.template.spec;
    assert.deepEqual(containers[0]?.securityContext.capabilities, { drop: ['ALL'] });
    assert.equal(automountServiceAccountToken, false);
    assert.deepEqual(
      Object.keys(pod).filter((field) => field.startsWith('host')),
      ['hostPID'],
    );
  });
});
