/**
 * Tests the health check in Argo CD's own layout. The operator writes the statuses of the tests, and health_test.yaml
 * has the expected results. After an intended change, run UPDATE_GOLDEN=1 npx mocha test/gitops.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { resolvePolicy } from '../../operator/policy/resolve.ts';
import type { NamespaceProgress, RolloutProgress } from '../../operator/promotion/progress.ts';
import { buildStatus, type StatusInput } from '../../operator/report/status.ts';
import {
  CONFLICT,
  compliant,
  EARLIER,
  IN_FORCE,
  input,
  labels,
  REFUSED,
  ROLLOUT_LABEL,
  restrictedIn,
  verdicts,
  violating,
  withStatus,
} from '../report/fixtures.ts';
import { describeWith } from '../support/needs.ts';
import { baselinePolicy } from '../support/policies.ts';
import { CUSTOMIZATION, type Health, healthOf } from './health.ts';

interface HealthTests {
  readonly tests: readonly { readonly healthStatus: Health; readonly inputPath: string }[];
}

const TESTDATA = join(CUSTOMIZATION, 'testdata');
const ENDING = { expires: '2027-01-31T00:00:00Z', reason: 'until TICKET-1' };
const TOO_NEW = { levelVersion: 'v1.99' };
const VIOLATED = verdicts([violating('shop'), violating('till', { pods: 2 }), compliant('desk')]);

const SINCE = Date.parse(EARLIER);
const PENDING: readonly [string, NamespaceProgress][] = [
  ['shop', { state: 'Blocked', since: SINCE, verdict: { violating: 1, worst: violating('legacy') } }],
  ['stage', { state: 'Soaking', since: SINCE, soakedAt: SINCE + 86_400_000 }],
];
const ROLLED_OUT: RolloutProgress = {
  begun: true,
  paused: false,
  namespaces: new Map([['net', { state: 'Enforced' }]]),
};
const ROLLOUT: RolloutProgress = { ...ROLLED_OUT, namespaces: new Map([...ROLLED_OUT.namespaces, ...PENDING]) };

/**
 * Maps the name of each test status to the input for that status. The input is undefined for a policy that the operator
 * has not seen.
 */
const STATUSES: Readonly<Record<string, StatusInput | undefined>> = {
  // The status `degraded_notAccepted` is for an old API server, because the message names the API server's version.
  degraded_notAccepted: input(TOO_NEW, { resolution: resolvePolicy(baselinePolicy('ping', TOO_NEW), 30) }),
  healthy_expired: input(ENDING, { now: '2027-02-01T00:00:00Z', expired: true, program: undefined }),
  healthy_expires: input(ENDING),
  healthy_inForce: input({}, { verdicts: verdicts([compliant('desk')]) }),
  healthy_labelConflict: input({}, { verdicts: VIOLATED, labels: labels({ conflicts: [CONFLICT] }) }),
  healthy_labelRefused: input(
    { mode: 'Enforce', rollout: {} },
    {
      progress: ROLLED_OUT,
      labels: labels({ refusal: { ...REFUSED, set: [ROLLOUT_LABEL] } }),
      // Ready leaves out refusals in a namespace of the platform.
      platform: [{ name: 'net', evidence: 'label kubernetes.azure.com/managedby=aks (AKS)' }],
    },
  ),
  healthy_rolledOut: input({ mode: 'Enforce', rollout: {} }, { progress: ROLLED_OUT }),
  healthy_rollingOut: input({ mode: 'Enforce', rollout: {} }, { progress: ROLLOUT }),
  healthy_useLimitExceeded: input({ usableBy: 'Bindings' }, { coverage: restrictedIn({ net: 11 }) }),
  healthy_violations: input({}, { verdicts: VIOLATED }),
  progressing_applyFailed: input(
    {},
    {
      program: {
        ...IN_FORCE,
        state: 'Failed',
        servers: { inForce: 0, answering: 1 },
        message: 'ClusterRole capabilitypolicy.dev:use:ping: forbidden',
      },
    },
  ),
  progressing_changedSince: input(),
  progressing_labelRefused: input(
    { mode: 'Enforce', rollout: {} },
    { progress: ROLLED_OUT, labels: labels({ refusal: { ...REFUSED, remove: [ROLLOUT_LABEL] } }) },
  ),
  progressing_programming: input(
    {},
    { program: { ...IN_FORCE, state: 'Working', servers: { inForce: 1, answering: 3 } } },
  ),
  progressing_unseen: undefined,
};

describe('the health check of Argo CD, in the layout of Argo CD', () => {
  const { tests } = load(readFileSync(join(CUSTOMIZATION, 'health_test.yaml'), 'utf8')) as HealthTests;

  describe('the health check is tested with statuses that the operator writes', () => {
    for (const name of Object.keys(STATUSES)) {
      it(name, () => {
        const path = join(TESTDATA, `${name}.yaml`);
        if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, dump(policyWith(name), { noRefs: true }));
        assert.deepEqual(load(readFileSync(path, 'utf8')), policyWith(name));
      });
    }

    it('each of them once, and no others', () => {
      const paths = Object.keys(STATUSES).map((name) => `testdata/${name}.yaml`);
      assert.deepEqual(tests.map(({ inputPath }) => inputPath).sort(), paths);
      assert.deepEqual(
        readdirSync(TESTDATA)
          .map((file) => `testdata/${file}`)
          .sort(),
        paths,
      );
    });
  });

  describeWith({ programs: { 'lua5.1': 'apt-get install lua5.1' } }, 'says', () => {
    for (const { healthStatus, inputPath } of tests) {
      it(`${healthStatus.status} of ${inputPath}`, () => {
        const object = load(readFileSync(join(CUSTOMIZATION, inputPath), 'utf8'));
        assert.deepEqual(healthOf([object]), [healthStatus]);
      });
    }
  });
});

/** The policy in the form that the cluster stores. */
function policyWith(name: string) {
  const from = STATUSES[name];
  if (!from) return withStatus({ observedGeneration: -1 }, input()).policy;
  const { policy } = withStatus(buildStatus({ ...from, now: EARLIER }), from);
  const generation = name === 'progressing_changedSince' ? 2 : 1;
  return { ...policy, metadata: { ...policy.metadata, generation } };
}
