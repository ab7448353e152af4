import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { RULES } from '../../operator/rules/index.ts';
import { app, pod } from '../support/pods.ts';
import { resolved } from '../support/policies.ts';
import { contentOf, randomPods } from '../support/random-pods.ts';

const evaluator = new Evaluator();

describe('violations', () => {
  it('are empty for a pod that complies', () => {
    assert.deepEqual(evaluator.violations(pod(), resolved('baseline', { level: 'baseline' })), []);
  });

  it('are empty at level privileged', () => {
    const bad = app({ securityContext: { privileged: true } }, { hostPID: true });
    assert.deepEqual(evaluator.violations(bad, resolved('any', { level: 'privileged' })), []);
  });

  it('violations name the rule, the part, the message and the path, ordered by rules and then by parts', () => {
    const privileged = { securityContext: { privileged: true } };
    const bad = pod({
      hostPID: true,
      initContainers: [{ name: 'init', ...privileged }],
      containers: [{ name: 'app' }, { name: 'second', ...privileged }],
      ephemeralContainers: [{ name: 'debug', ...privileged }],
      volumes: [
        { name: 'tmp', emptyDir: {} },
        { name: 'logs', hostPath: { path: '/var/log' } },
      ],
    });
    const message = 'must not set securityContext.privileged=true';
    assert.deepEqual(evaluator.violations(bad, resolved('baseline', { level: 'baseline' })), [
      {
        rule: 'privileged',
        container: 'init',
        message: `container "init" ${message}`,
        path: 'initContainers[0].securityContext.privileged',
      },
      {
        rule: 'privileged',
        container: 'second',
        message: `container "second" ${message}`,
        path: 'containers[1].securityContext.privileged',
      },
      {
        rule: 'privileged',
        container: 'debug',
        message: `container "debug" ${message}`,
        path: 'ephemeralContainers[0].securityContext.privileged',
      },
      { rule: 'hostPID', message: 'pod must not set hostPID=true', path: 'hostPID' },
      {
        rule: 'volumes',
        message: 'volume "logs" must not be of type hostPath (forbidden: hostPath)',
        path: 'volumes[1]',
      },
    ]);
  });

  it('the violations of a filled pod exclude violations that defaulting fixes', () => {
    const policy = resolved('filling', { defaulting: 'Enabled' });
    assert.notDeepEqual(evaluator.violations(pod(), policy), []);
    assert.deepEqual(evaluator.violations(pod(), policy, true), []);
  });

  it('violations depend only on the pod and the policy, not on the evaluator', () => {
    const policies = [resolved('a'), resolved('b', { level: 'baseline' }), resolved('c', { levelVersion: 'v1.0' })];
    fc.assert(
      fc.property(randomPods(), fc.constantFrom(...policies), (random, policy) => {
        const content = contentOf(random);
        const before = structuredClone(content);
        const found = evaluator.violations(content, policy);
        assert.deepEqual(found, new Evaluator().violations(before, policy));
        assert.deepEqual(content, before);
        const order = found.map(({ rule }) => RULES.findIndex(({ id }) => id === rule));
        assert.deepEqual(
          order,
          order.toSorted((a, b) => a - b),
        );
      }),
    );
  });

  it('violations are correct for names that have a meaning in JavaScript', () => {
    const odd = pod({ containers: [{ name: 'constructor', securityContext: { privileged: true } }] }, { toString: '' });
    const [violation] = evaluator.violations(odd, resolved('baseline', { level: 'baseline' }));
    assert.equal(violation?.container, 'constructor');
    const annotated = pod(
      { containers: [{ name: 'main' }] },
      { constructor: 'x', 'container.apparmor.security.beta.kubernetes.io/main': 'unconfined' },
    );
    assert.deepEqual(
      evaluator.violations(annotated, resolved('baseline', { level: 'baseline' })).map(({ rule }) => rule),
      ['appArmor'],
    );
  });
});
