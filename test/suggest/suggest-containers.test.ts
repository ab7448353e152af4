/**
 * Tests the suggestion of exceptions for single containers. If only some containers of a pod need an exception, the
 * exception names these containers.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { validatePolicy } from '../../analysis/policies/validate.ts';
import { policiesOf } from '../../analysis/suggest/policies.ts';
import { type Suggestion, suggest } from '../../analysis/suggest/suggest.ts';
import { completePolicy } from '../../operator/api/defaults.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { type ResolvedPolicy, resolvePolicy } from '../../operator/policy/resolve.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';
import { SEED } from '../support/seed.ts';
import { isOfRealSize } from './suggest-features.ts';

const RUNS = 100;
const STANDARD = { minor: NEWEST_KNOWN_MINOR, server: NEWEST_KNOWN_MINOR };
const HARDENED = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
  capabilities: { drop: ['ALL'] },
};
const PROXY = { ...HARDENED, runAsNonRoot: false, runAsUser: 0, capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } };

/**
 * Overrides for whole pods. An exception with one of these overrides may refuse pods that the level admits. See
 * suggest-doors.test.ts.
 */
const TIGHTER_THAN_LEVEL = ['seLinux', 'runAsUser'];

const evaluator = new Evaluator();

function meshed(init: object, app: object = HARDENED, spec: object = {}): PodContent {
  return {
    annotations: {},
    spec: {
      initContainers: [{ name: 'istio-init', securityContext: init }],
      containers: [{ name: 'app', securityContext: app }],
      ...spec,
    },
  };
}

function suggestionFor(pods: readonly PodContent[]): Suggestion {
  const given = pods.map((content) => ({
    workload: { kind: 'Pod', namespace: 'net', name: 'pod' },
    content,
  }));
  const [suggestion] = suggest(given, { standard: STANDARD, level: 'restricted', evaluator });
  assert.ok(suggestion);
  return suggestion;
}

/** The overrides in the spec of the written policy, for the pod and for containers. */
function written(...pods: readonly PodContent[]) {
  const [exception] = policiesOf([suggestionFor(pods)], { mode: 'Enforce', everywhere: false });
  const { overrides, containers } = exception?.policy.spec ?? {};
  return { overrides, containers };
}

describe(`an exception for some containers (SEED=${SEED})`, () => {
  it('is for those that need it', () => {
    assert.deepEqual(written(meshed(PROXY)), {
      overrides: undefined,
      containers: [
        {
          names: ['istio-init'],
          overrides: {
            capabilities: { allowedAdd: ['NET_ADMIN', 'NET_BIND_SERVICE'] },
            runAsNonRoot: false,
            runAsUser: { rule: 'RunAsAny' },
          },
        },
      ],
    });
  });

  it('needs of the pod itself stay in the overrides for the pod', () => {
    const { overrides, containers } = written(meshed(PROXY, HARDENED, { hostNetwork: true }));
    assert.deepEqual(overrides, { hostNetwork: true });
    assert.deepEqual(
      containers?.map(({ names }) => names),
      [['istio-init']],
    );
  });

  it('has an entry for each different need', () => {
    const { containers } = written(
      meshed(
        PROXY,
        { ...HARDENED, seccompProfile: { type: 'Unconfined' } },
        { ephemeralContainers: [{ name: 'debug', securityContext: HARDENED }] },
      ),
    );
    assert.deepEqual(
      containers?.map(({ names }) => names),
      [['istio-init'], ['app']],
    );
  });

  it('the exception is for the whole pod if every container needs the exception', () => {
    const raw = { ...HARDENED, capabilities: { drop: ['ALL'], add: ['NET_RAW'] } };
    assert.deepEqual(written(meshed(raw, raw)), {
      overrides: { capabilities: { allowedAdd: ['NET_BIND_SERVICE', 'NET_RAW'] } },
      containers: undefined,
    });
  });

  it('the exception is for the whole pod if the pod itself sets the field', () => {
    const { runAsNonRoot: _, ...inheriting } = HARDENED;
    const { overrides, containers } = written(
      meshed(inheriting, HARDENED, { securityContext: { runAsNonRoot: false } }),
    );
    assert.deepEqual([overrides, containers], [{ runAsNonRoot: false }, undefined]);
  });

  it('the exception admits its workloads, admits no more than an exception for the whole pod, and is valid', () => {
    let found = 0;
    const pods = fc.array(randomPods().map(contentOf).filter(isOfRealSize), { minLength: 1, maxLength: 2 });
    const probes = fc.array(randomPods().map(contentOf).filter(isOfRealSize), { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(pods, probes, (workloads, others) => {
        const suggestion = suggestionFor(workloads);
        for (const { policy, exception } of policiesOf([suggestion], { mode: 'Enforce', everywhere: false })) {
          if (!exception?.byContainer) continue;
          found++;
          assert.deepEqual(validatePolicy(policy as never).problems, []);
          const { containers: _, ...spec } = policy.spec;
          const wide = { ...policy, spec: { ...spec, overrides: exception.overrides } };
          const [narrow, whole] = [policy, wide].map(resolvedOf) as [ResolvedPolicy, ResolvedPolicy];
          for (const pod of workloads) assert.deepEqual(evaluator.violations(pod, narrow), []);
          for (const pod of others) {
            const admitted = evaluator.violations(pod, narrow).length === 0;
            const refused = evaluator.violations(pod, whole).filter(({ rule }) => !TIGHTER_THAN_LEVEL.includes(rule));
            if (admitted) assert.deepEqual(refused, [], JSON.stringify(policy.spec));
          }
        }
      }),
      { seed: SEED, numRuns: RUNS },
    );
    assert.ok(found > RUNS / 10, `${found} exceptions`);
  });
});

function resolvedOf(policy: Parameters<typeof completePolicy>[0]): ResolvedPolicy {
  const resolution = resolvePolicy(completePolicy(policy), NEWEST_KNOWN_MINOR);
  assert.ok('policy' in resolution);
  return resolution.policy;
}
