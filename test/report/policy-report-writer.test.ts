import assert from 'node:assert/strict';
import { ApiError } from '../../operator/cluster/client.ts';
import { DIGEST, OPEN_REPORTS, POLICY_REPORTS, type ReportView } from '../../operator/cluster/reports.ts';
import { type PolicyReport, policyReports } from '../../operator/report/policy-report.ts';
import { type PolicyReportClient, writePolicyReports } from '../../operator/report/policy-report-writer.ts';
import { NOW, violating } from './fixtures.ts';

function refusal(status: number, cause = '', message = 'test'): ApiError {
  return new ApiError({ status, reason: 'Test', message, causes: [{ reason: cause, message: '' }] });
}

const wanted = (policy: string): PolicyReport[] => [
  ...policyReports({
    api: OPEN_REPORTS,
    policy: { name: policy, uid: policy, mode: 'Audit', standard: { level: 'restricted', minor: 36, server: 36 } },
    namespace: { name: 'net', uid: 'n' },
    workloads: [violating('web')],
    findIdentity: () => undefined,
    cleanSince: undefined,
    now: NOW,
  }),
];
const existing = (report: PolicyReport, fields: Partial<ReportView> = {}): ReportView => ({
  api: OPEN_REPORTS,
  namespace: 'net',
  name: report.metadata.name,
  digest: report.metadata.annotations[DIGEST] ?? '',
  ...fields,
});

/** The requests of the code under test. The client gives the same answer to each request, or refuses each request. */
async function calls(reports: PolicyReport[], stand: ReportView[], refused?: Error): Promise<string[]> {
  const asked: string[] = [];
  const client: PolicyReportClient = {
    async apply({ metadata }, options) {
      asked.push(`apply ${metadata.name}${options?.force ? ' by force' : ''}`);
      if (refused) throw refused;
      return {};
    },
    async remove(path) {
      asked.push(`remove ${path}`);
      if (refused) throw refused;
    },
  };
  await writePolicyReports(client, reports, stand, () => asked.push('written'));
  return asked;
}

describe('the writer of policy reports', () => {
  const ping = wanted('ping');
  const [first] = ping as [PolicyReport];
  const PATH = '/apis/openreports.io/v1alpha1/namespaces/net/reports';
  const applied = ['apply capabilitypolicy-ping-1 by force', 'written'];

  const cases: [string, PolicyReport[], ReportView[], string[]][] = [
    ['writes missing reports', ping, [], applied],
    ['leaves existing reports alone', ping, [existing(first)], []],
    ['rewrites reports that differ', ping, [existing(first, { digest: 'another' })], applied],
    ['removes reports that are no longer needed', [], [existing(first)], [`remove ${PATH}/capabilitypolicy-ping-1`]],
    [
      'removes reports in the other API',
      ping,
      [existing(first, { api: POLICY_REPORTS })],
      [...applied, 'remove /apis/wgpolicyk8s.io/v1alpha2/namespaces/net/policyreports/capabilitypolicy-ping-1'],
    ],
  ];
  for (const [what, reports, stand, expected] of cases) {
    it(what, async () => assert.deepEqual(await calls(reports, stand), expected));
  }

  for (const [what, error] of [
    ['the CRD or the namespace is deleted', refusal(404)],
    ['the CRD is being deleted', refusal(405)],
    ['the deletion of the CRD has just begun', refusal(403, '', 'custom resource definition is terminating')],
    ['the namespace is being deleted', refusal(403, 'NamespaceTerminating')],
  ] as const) {
    it(`reports nothing when ${what}`, async () => {
      const attempted = ['apply capabilitypolicy-ping-1 by force'];
      assert.deepEqual(await calls(ping, [existing(first, { name: 'old' })], error), attempted);
    });
  }

  it('tolerates reports that somebody else removed', async () => {
    const removed = [`remove ${PATH}/a`, `remove ${PATH}/b`];
    assert.deepEqual(
      await calls(
        [],
        ['a', 'b'].map((name) => existing(first, { name })),
        refusal(404),
      ),
      removed,
    );
  });

  it('passes on every other refusal', async () => {
    await assert.rejects(calls(ping, [], refusal(403)), /test/);
    await assert.rejects(calls([], [existing(first)], refusal(500)), /test/);
  });
});
