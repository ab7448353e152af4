/**
 * Tests that the operator evaluates the most expensive object of each rule in little time. The time grows linearly with
 * the object's size.
 */
import assert from 'node:assert/strict';
import { findings } from '../../analysis/capabilities/findings.ts';
import { TooExpensive } from '../../engine/cel/costs.ts';
import { COST_LIMIT, Evaluator } from '../../operator/evaluate/violations.ts';
import type { PodContent } from '../../operator/model/objects.ts';
import { RULES } from '../../operator/rules/index.ts';
import { EVERYTHING_RESTRICTED } from '../support/examples.ts';
import { resolvedBaseline } from '../support/policies.ts';
import { LONGEST, WORST_OBJECTS, type WorstPod } from './worst-objects.ts';

/** Evaluating one object may block the operator for at most this time in ms. */
const BLOCKED_MS = 100;
/**
 * The growth of the object, and the maximum growth of the time, as factors. When the object grows by a factor of 4,
 * linear time grows by a factor of 4, and quadratic time by a factor of 16.
 */
const [TIMES, MOST_GROWTH] = [4, 9];
/** The test compares only times of at least this length, because some kernels count CPU time in steps of 10 ms. */
const MEASURABLE_MS = 10;

function contentIn({ annotations = {}, spec }: WorstPod): PodContent {
  return { annotations, spec };
}

/**
 * The minimum CPU time of this thread over several runs, in ms. The CPU time of other processes, of the JIT compiler
 * and of the garbage collector's threads does not count.
 */
function cpuMs(work: () => void): number {
  const times = Array.from({ length: 5 }, () => {
    const began = process.threadCpuUsage();
    work();
    return process.threadCpuUsage(began).user / 1000;
  });
  return Math.min(...times);
}

describe('the dearest object', () => {
  it('is of a rule', () => {
    const ids = RULES.map(({ id }) => id);
    assert.deepEqual(
      Object.keys(LONGEST).filter((id) => !ids.includes(id)),
      [],
    );
  });

  for (const [rule, { overrides, pod, most }] of Object.entries(WORST_OBJECTS)) {
    const evaluating = resolvedBaseline('evaluating', { level: 'restricted', overrides });

    it(`for ${rule} costs the operator less than ${BLOCKED_MS} ms`, () => {
      const content = contentIn(pod(most));
      const spent = cpuMs(() => {
        try {
          new Evaluator({ costLimit: COST_LIMIT }).violations(content, evaluating);
        } catch (error) {
          assert.ok(error instanceof TooExpensive);
        }
      });
      assert.ok(spent < BLOCKED_MS, `${spent} ms`);
    });

    it(`for ${rule} costs ${TIMES} times as much when it is ${TIMES} times as large`, () => {
      const evaluator = new Evaluator();
      const spent = (count: number) => {
        const content = contentIn(pod(Math.ceil(count)));
        return cpuMs(() => void evaluator.violations(content, evaluating));
      };
      const [small, large] = [spent(most / 2 / TIMES), spent(most / 2)];
      assert.ok(large < Math.max(small, MEASURABLE_MS) * MOST_GROWTH, `${small} ms, then ${large} ms`);
    });
  }

  it('the time for findings grows only linearly with the object', () => {
    const object = (count: number) =>
      WORST_OBJECTS['capabilities.allowedBounding']?.pod(count).spec ?? { containers: [] };
    const spent = (count: number) => {
      const spec = object(count);
      return cpuMs(() => void findings(spec));
    };
    const [small, large] = [spent(10_000), spent(10_000 * TIMES)];
    assert.ok(large < Math.max(small, MEASURABLE_MS) * MOST_GROWTH, `${small} ms, then ${large} ms`);
    assert.ok(spent(80_000) < 1_000);
  });
});

describe('an evaluator with a limit', () => {
  const everything = resolvedBaseline('everything', { level: 'restricted', overrides: EVERYTHING_RESTRICTED });

  it('an evaluator with a limit evaluates pods of 100 containers that break every rule', () => {
    const content = crowded(100);
    const evaluator = new Evaluator({ costLimit: COST_LIMIT });
    const rules = new Set(evaluator.violations(content, everything).map(({ rule }) => rule));
    assert.ok(rules.size > 15, [...rules].join());
  });

  it('an evaluator with a limit finds the same violations as an evaluator without a limit, or fails', () => {
    const content = crowded(20);
    const all = new Evaluator().violations(content, everything);
    for (const costLimit of [0, 1_000, 10_000, 100_000, 300_000, COST_LIMIT]) {
      try {
        assert.deepEqual(new Evaluator({ costLimit }).violations(content, everything), all);
      } catch (error) {
        assert.ok(error instanceof TooExpensive && costLimit < COST_LIMIT, `${costLimit}: ${error}`);
      }
    }
  });

  it('remembers what was too expensive', () => {
    const spec = Object.freeze(WORST_OBJECTS.privileged?.pod(1_000).spec ?? { containers: [] });
    const content = { annotations: {}, spec };
    const evaluator = new Evaluator({ costLimit: COST_LIMIT });
    assert.throws(() => evaluator.violations(content, everything), TooExpensive);
    const again = cpuMs(() => assert.throws(() => evaluator.violations(content, everything), TooExpensive));
    assert.ok(again <= MEASURABLE_MS, `${again} ms`);
  });
});

describe('the violations of a pod', () => {
  const baseline = resolvedBaseline('baseline', { level: 'baseline' });

  it('for each rule, 32 violations are described, and further violations are counted', () => {
    const found = new Evaluator().violations(crowded(1_000), baseline);
    const privileged = found.filter(({ rule }) => rule === 'privileged');
    assert.equal(privileged.length, 33);
    assert.deepEqual(privileged.at(-1), {
      rule: 'privileged',
      message: 'pod breaks this rule 968 more times',
      path: '',
    });
  });

  it('the violations have a bounded size for any pod', () => {
    for (const { pod, most } of Object.values(WORST_OBJECTS)) {
      const found = new Evaluator().violations(contentIn(pod(Math.ceil(most / 4))), baseline);
      assert.ok(found.every(({ message }) => message.length <= 2_048));
      assert.ok(JSON.stringify(found).length < 200_000);
    }
  });

  it('are not cut within a character', () => {
    const securityContext = { capabilities: { add: ['😀'.repeat(3_000)] } };
    const content = { annotations: {}, spec: { containers: [{ name: 'app', securityContext }] } };
    const [violation] = new Evaluator().violations(content, baseline);
    assert.ok(violation?.message.endsWith('😀…'), violation?.message.slice(-5));
  });
});

function crowded(count: number): PodContent {
  const securityContext = {
    privileged: true,
    runAsUser: 0,
    procMount: 'Unmasked',
    seLinuxOptions: { type: 'x', user: 'u' },
    seccompProfile: { type: 'Unconfined' },
    capabilities: { add: ['SYS_ADMIN', 'NET_ADMIN'] },
  };
  const containers = Array.from({ length: count }, (_, i) => ({
    name: `c${i}`,
    securityContext,
    ports: [{ containerPort: 80, hostPort: 7_000 }],
    livenessProbe: { tcpSocket: { host: 'example.com', port: 1 } },
  }));
  const volumes = Array.from({ length: count }, (_, i) => ({ name: `v${i}`, hostPath: { path: '/' } }));
  return { annotations: {}, spec: { hostPID: true, hostNetwork: true, containers, volumes } };
}
