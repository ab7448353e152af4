import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CLEAN_SINCE, DIGEST, OPEN_REPORTS, POLICY_REPORTS } from '../../operator/cluster/reports.ts';
import type { WorkloadVerdict } from '../../operator/evaluate/workload-verdict.ts';
import {
  LEFT_OUT,
  type PolicyReport,
  type PolicyReportInput,
  policyReports,
} from '../../operator/report/policy-report.ts';
import { compliant, EARLIER, NOW, violating } from './fixtures.ts';

const MOST_BYTES = 512 * 1024;

const POLICY: PolicyReportInput['policy'] = {
  name: 'ping',
  uid: 'uid-of-ping',
  mode: 'Audit',
  standard: { level: 'restricted', minor: 36, server: 36 },
};

function reports(workloads: readonly WorkloadVerdict[], fields: Partial<PolicyReportInput> = {}): PolicyReport[] {
  return [
    ...policyReports({
      api: OPEN_REPORTS,
      policy: POLICY,
      namespace: { name: 'net', uid: 'uid-of-net' },
      workloads,
      findIdentity: ({ kind, name }) => ({ uid: `${kind}-${name}` }),
      cleanSince: undefined,
      now: NOW,
      ...fields,
    }),
  ];
}

function report(workloads: readonly WorkloadVerdict[], fields: Partial<PolicyReportInput> = {}): PolicyReport {
  const [first] = reports(workloads, fields);
  assert.ok(first);
  return first;
}

function digest({ metadata }: PolicyReport): string | undefined {
  return metadata.annotations[DIGEST];
}

const many = (count: number) => Array.from({ length: count }, (_, index) => violating(`web-${index}`));

describe('the policy report of a namespace', () => {
  it('does not block the foreground deletion of its policy, because the operator would write the report again', () => {
    const owners = report([violating('web')]).metadata.ownerReferences;
    assert.deepEqual(
      owners.map((owner) => Object.hasOwn(owner, 'blockOwnerDeletion')),
      [false],
    );
  });

  it('names each violation in the same way as Policy Reporter', () => {
    const { [DIGEST]: hash, ...annotations } = report([violating('web', { pods: 3 }), compliant('db')]).metadata
      .annotations;
    assert.match(hash ?? '', /^[0-9a-f]{32}$/);
    assert.deepEqual(annotations, {});
    const { metadata, ...content } = report([violating('web', { pods: 3 }), compliant('db')]);
    assert.deepEqual(
      { ...metadata, annotations: {} },
      {
        name: 'capabilitypolicy-ping-1',
        namespace: 'net',
        labels: { 'app.kubernetes.io/managed-by': 'capabilitypolicy.dev', 'capabilitypolicy.dev/policy': 'ping' },
        annotations: {},
        ownerReferences: [
          {
            apiVersion: 'capabilitypolicy.dev/v1alpha1',
            kind: 'CapabilityPolicy',
            name: 'ping',
            uid: 'uid-of-ping',
            controller: true,
          },
        ],
      },
    );
    assert.deepEqual(content, {
      apiVersion: 'openreports.io/v1alpha1',
      kind: 'Report',
      scope: { apiVersion: 'v1', kind: 'Namespace', name: 'net', uid: 'uid-of-net' },
      source: 'capabilitypolicy',
      summary: { pass: 1, fail: 1, warn: 0, error: 0, skip: 0 },
      results: [
        {
          source: 'capabilitypolicy',
          policy: 'ping',
          category: 'Pod Security Standards (Restricted)',
          rule: 'capabilities',
          severity: 'medium',
          result: 'fail',
          scored: true,
          message: 'container "app" of web',
          resources: [
            { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'net', name: 'web', uid: 'Deployment-web' },
          ],
          timestamp: { seconds: Date.parse('2026-01-02T03:04:05Z') / 1000, nanos: 0 },
          properties: {
            mode: 'Audit',
            pods: '3',
            container: 'app',
            cis: 'CIS Kubernetes Benchmark v2.0.1: 5.2.8, 5.2.9',
          },
        },
      ],
    });
  });

  it('a policy called constructor gets a report, although every object has a property of this name', () => {
    const { results, summary } = report([compliant('db')], {
      policy: { ...POLICY, name: 'constructor' },
      cleanSince: EARLIER,
    });
    assert.deepEqual([results.length, summary.pass, summary.fail], [1, 1, 0]);
  });

  it('refers to a custom resource by its API group and uid', () => {
    const owner = { apiVersion: 'batch.volcano.sh/v1alpha1', kind: 'Job', name: 'train', uid: 'uid-of-train' };
    const { results } = report([violating('train', { kind: 'Job.batch.volcano.sh', custom: owner })]);
    assert.deepEqual(results[0]?.resources, [{ ...owner, namespace: 'net' }]);
  });

  it('has only the fields that wgpolicyk8s.io knows', () => {
    const { source, ...older } = report([violating('web')]);
    assert.equal(source, 'capabilitypolicy');
    const { metadata, ...rest } = older;
    const { metadata: _, ...own } = report([violating('web')], { api: POLICY_REPORTS });
    assert.deepEqual(own, { ...rest, ...POLICY_REPORTS });
    assert.equal(metadata.name, 'capabilitypolicy-ping-1');
  });

  it('if a verdict depends on an unknown creator, the result is a warning without a score', () => {
    const [passed, shown] = report([violating('one', { kind: 'Pod', verdict: 'Unknown' })]).results;
    assert.deepEqual([passed?.result, shown?.result, shown?.scored], ['pass', 'warn', false]);
  });

  const since: [string, WorkloadVerdict[], string | undefined, string | undefined][] = [
    ['since now, when it was not before', [compliant('db')], undefined, '2026-01-02T03:04:05Z'],
    ['since when it was before', [compliant('db')], EARLIER, EARLIER],
    ['with nothing in it', [], undefined, '2026-01-02T03:04:05Z'],
    ['no longer', [compliant('db'), violating('web')], EARLIER, undefined],
  ];
  for (const [what, workloads, cleanSince, expected] of since) {
    it(`says that a namespace is clean: ${what}`, () => {
      const { metadata, results } = report(workloads, { cleanSince });
      assert.equal(metadata.annotations[CLEAN_SINCE], expected);
      const passed = results.filter(({ result }) => result === 'pass');
      assert.deepEqual(
        passed.map(({ properties }) => properties.cleanSince),
        expected ? [expected] : [],
      );
      assert.deepEqual(
        passed.map(({ message }) => message),
        expected
          ? [`none of ${workloads.length} workload${workloads.length === 1 ? '' : 's'} violates the policy`]
          : [],
      );
    });
  }

  it('the digest stays the same at another time, and changes with the content', () => {
    const base = digest(report([violating('web')]));
    assert.equal(digest(report([violating('web')], { now: '2026-05-05T05:05:05Z' })), base);
    assert.notEqual(digest(report([violating('web', { pods: 2 })])), base);
    assert.notEqual(digest(report([violating('web'), compliant('db')])), base);
    assert.notEqual(digest(report([violating('web')], { findIdentity: () => ({ uid: 'another' }) })), base);
  });
});

describe('a large policy report', () => {
  const workloads = [...many(3_000), compliant('db')];
  const parts = reports(workloads);

  it('is split into parts that etcd accepts', () => {
    assert.ok(parts.length > 2, String(parts.length));
    for (const part of parts) assert.ok(Buffer.byteLength(JSON.stringify(part)) < MOST_BYTES);
    assert.equal(new Set(parts.map(({ metadata }) => metadata.name)).size, parts.length);
  });

  it('a large report lists every violating workload once, and the sums of the parts add up', () => {
    const named = parts.flatMap(({ results }) => results.map(({ message }) => message));
    assert.deepEqual(
      named.sort(),
      workloads
        .slice(0, 3_000)
        .map(({ name }) => `container "app" of ${name}`)
        .sort(),
    );
    const sum = (field: 'pass' | 'fail') => parts.reduce((total, { summary }) => total + summary[field], 0);
    assert.deepEqual([sum('pass'), sum('fail')], [1, 3_000]);
  });

  it('only one part of the report changes when one workload changes', () => {
    const changed = reports([...workloads.slice(1), violating('web-0', { pods: 7 })]);
    const before = new Set(parts.map(digest));
    assert.equal(changed.filter((part) => !before.has(digest(part))).length, 1);
    const fewer = reports(workloads.slice(1));
    assert.equal(fewer.filter((part) => !before.has(digest(part))).length, 1);
  });

  it('the names of the parts differ for any two policies', () => {
    const names = (name: string) =>
      reports(workloads, {
        policy: { name, uid: name, mode: 'Audit', standard: { level: 'baseline', minor: 36, server: 36 } },
      }).map(({ metadata }) => metadata.name);
    const all = [...names('a'), ...names('a-1'), ...names('a-2')];
    assert.equal(new Set(all).size, all.length);
  });

  it('counts results that do not fit', () => {
    const broken = Array.from({ length: 2_000 }, (_, index) => ({
      rule: `rule-${index}`,
      message: 'x'.repeat(600),
      path: 'spec',
    }));
    const [only, ...others] = reports([violating('huge', { violations: { ping: broken } }), violating('web')]);
    assert.deepEqual(others, []);
    assert.equal(only?.summary.fail, 2_001);
    const listed = only?.results.length ?? 0;
    assert.equal(only?.metadata.annotations[LEFT_OUT], String(2_001 - listed));
    assert.ok(only?.results.some(({ message }) => message === 'container "app" of web'));
  });
});

describe('a policy report of random input', () => {
  const text = fc.oneof(
    fc.constantFrom('x'.repeat(5000), '\u001b[31mred\u001b[0m', '\u009b2J', '\u202egnp.exe', '\r\nfail'),
    fc.string({ unit: 'binary', maxLength: 40 }),
  );
  const workload: fc.Arbitrary<WorkloadVerdict> = fc.record({
    kind: fc.constantFrom('Deployment', 'Pod', 'Rollout'),
    namespace: fc.constant('net'),
    name: fc.stringMatching(/^[a-z]{1,12}$/),
    verdict: fc.constantFrom('Compliant', 'Violating', 'Unknown'),
    pods: fc.nat(),
    violations: fc.record({
      ping: fc.array(
        fc.record({ rule: text, container: fc.option(text, { nil: undefined }), message: text, path: text }),
        {
          maxLength: 30,
        },
      ),
    }),
  });

  it('contains no control character, and stays small', () => {
    const property = fc.property(fc.array(workload, { maxLength: 60 }), (workloads) => {
      for (const part of reports(workloads)) {
        assert.ok(Buffer.byteLength(JSON.stringify(part)) < MOST_BYTES);
        for (const { message, rule = '', properties } of part.results) {
          for (const shown of [message, rule, ...Object.values(properties)]) {
            assert.doesNotMatch(shown, /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
            assert.ok(shown.isWellFormed());
          }
        }
      }
    });
    fc.assert(property, { numRuns: 200 });
  });
});
