/** Tests the output of `cappol status -o compliance` and of `cappol status -o compliance-json`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { complianceText } from '../../cli/commands/status/compliance-text.ts';
import { type ComplianceView, complianceView } from '../../cli/commands/status/compliance-view.ts';
import { PLAIN, terminalOf } from '../../cli/output/terminal.ts';
import type { CompletePolicy } from '../../operator/api/capability-policy.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { EXCLUDED_NAMESPACES } from '../../operator/model/namespaces.ts';
import type { WorkloadView } from '../../operator/model/objects.ts';
import { PolicyState } from '../../operator/state/policy-state.ts';
import { assertShown } from '../docs/shown.ts';
import { cappol } from '../support/cappol.ts';
import { readPage } from '../support/page.ts';
import { app, pod, secured } from '../support/pods.ts';
import { policy } from '../support/policies.ts';
import { ALL_RIGHTS } from '../support/snapshots.ts';
import { clusterOf, wholeCluster, workloadView } from '../support/views.ts';

const SCHEMA = join(import.meta.dirname, '..', '..', 'docs', 'reference', 'compliance.schema.json');
const HARDENED = app(
  secured({
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  }),
);
const NAMESPACES = ['gone', 'kube-system', 'net', 'web'].map((name) => ({
  name,
  uid: name,
  terminating: name === 'gone',
  labels: { 'kubernetes.io/metadata.name': name },
  labelOwners: {},
}));
const OPEN = policy('agents', {
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'net' } },
  level: 'privileged',
  reason: 'reads the processes of nodes, TICKET-7',
  expires: '2999-01-31T00:00:00Z',
});
const WORKLOADS = [
  workloadView('DaemonSet', 'agent', { template: pod({ ...HARDENED.spec, hostPID: true }) }),
  ...['one', 'two', 'three', 'four'].map((name) =>
    workloadView('Deployment', name, { namespace: 'web', template: pod({ ...HARDENED.spec, hostPID: true }) }),
  ),
  workloadView('Deployment', 'good', { namespace: 'web', template: HARDENED }),
];

interface Seen {
  readonly policies?: readonly CompletePolicy[];
  readonly workloads?: readonly WorkloadView[];
  readonly installed?: boolean;
}

function view({ policies = [OPEN], workloads = WORKLOADS, installed = true }: Seen = {}): ComplianceView {
  const cluster = wholeCluster(clusterOf(workloads), policies, NAMESPACES);
  const options = { operatorNamespace: 'operator', excludedNamespaces: EXCLUDED_NAMESPACES, now: () => Date.now() };
  const state = new PolicyState(cluster, options);
  state.accept();
  return complianceView({ ...ALL_RIGHTS, installed, cluster, state }, new Evaluator());
}

function lines(seen: ComplianceView): string[] {
  return complianceText(seen, 'all namespaces', PLAIN).split('\n');
}

describe('cappol status -o compliance', () => {
  const printed = lines(view());

  it('the summary begins with the guides and their versions, and says what it does not cover', () => {
    assert.equal(
      printed[0],
      '6 workloads in all namespaces, by the recommendations of CIS Kubernetes Benchmark v2.0.1 and NSA/CISA Kubernetes Hardening Guide v1.2 that rules cover. The summary covers the fields of pods and templates. It does not cover nodes, the control plane, or other recommendations of these guides.',
    );
  });

  it('the summary has a row for each control, below the guide of the control', () => {
    assert.deepEqual(printed.slice(2, 4).concat(printed.slice(5, 7)), [
      'CIS Kubernetes Benchmark v2.0.1',
      'CONTROL   PASSED   PARTLY   FAILED   EXCEPTED   ABOUT',
      '5.2.2     6        0        0        0          few privileged containers',
      "5.2.3     1        0        4        1          few containers with the node's process IDs",
    ]);
    const nsa = printed.indexOf('NSA/CISA Kubernetes Hardening Guide v1.2');
    assert.match(printed[nsa + 2] ?? '', /^NonRoot +6 +0 +0 +0 +run containers as users that are not root$/);
    assert.equal(printed.filter((line) => /^(5\.\d\.\d+|[A-Z][A-Za-z]+) +\d+ +\d+ +\d+ +\d+ /.test(line)).length, 20);
  });

  it('the summary names the first workloads that fail, and counts the other workloads', () => {
    assert.deepEqual(printed.filter((line) => line.startsWith('5.2.3')).slice(1, 2), [
      '5.2.3      4        web/Deployment four, web/Deployment one, web/Deployment three and 1 more',
    ]);
  });

  it('the summary names the policy that excepts a workload, with the reason and the end of the policy', () => {
    assert.ok(
      printed.includes(
        '5.2.3      1          agents      2999-01-31T00:00:00Z   reads the processes of nodes, TICKET-7   net/DaemonSet agent',
      ),
      printed.join('\n'),
    );
    const { expires: _, ...endless } = OPEN.spec;
    assert.ok(
      lines(view({ policies: [{ ...OPEN, spec: endless }] })).some((line) => /^5\.2\.3 .* never +reads/.test(line)),
    );
  });

  it('the summary says what a control cannot see, and which namespaces are left out', () => {
    assert.ok(
      printed.includes(
        'Partly assessed: SecurityServices. The summary cannot show whether nodes run SELinux or AppArmor, and what the profiles on nodes contain.',
      ),
    );
    assert.ok(
      printed.some((line) => line.startsWith('Partly assessed: 5.1.6, ServiceAccountTokens. The summary cannot show ')),
    );
    assert.ok(
      printed.includes(
        'Namespaces that are left out, since no policy would reach them (--excluded-namespaces): kube-system',
      ),
    );
  });

  it('without CapabilityPolicy in the cluster, no workload is excepted, and the summary says so', () => {
    const seen = view({ policies: [], installed: false });
    assert.ok(seen.controls.every(({ excepted }) => excepted.length === 0));
    assert.match(
      lines(seen)[0] ?? '',
      / CapabilityPolicy is not installed in this cluster, so no policy excepts a workload\.$/,
    );
  });

  it('prints what docs/compliance.md shows', () => {
    const { blocks } = readPage('docs/compliance.md');
    const shown = blocks.find(({ info }) => info[0] === 'text');
    assert.ok(shown);
    assertShown(shown.text, printed.join('\n'));
  });

  it('fits a terminal of 80 columns', () => {
    const terminal = terminalOf({ stdout: { isTTY: true, columns: 80 } as never, env: { NO_COLOR: '1' } });
    for (const line of complianceText(view(), 'all namespaces', terminal).split('\n'))
      assert.ok(line.length <= 80 || !line.trim().includes(' '), line);
  });

  it('the summary contains no control characters from names and reasons', () => {
    const hostile = '\u001b[2J\u009b31m\u202e';
    const [agent] = WORKLOADS as [WorkloadView];
    const seen = view({
      policies: [{ ...OPEN, spec: { ...OPEN.spec, reason: `x${hostile}` } }],
      workloads: [{ ...agent, name: `a${hostile}` }],
    });
    const shown = lines(seen);
    assert.ok(shown.some((line) => line.includes('[2J')));
    for (const line of shown) assert.doesNotMatch(line, /[\p{Cc}\p{Bidi_Control}]/u);
  });

  it('cappol refuses the summary for a single policy before cappol asks the cluster', async () => {
    for (const output of ['compliance', 'compliance-json']) {
      const { code, stdout, stderr } = await cappol(['status', 'net', '-o', output, '--kubeconfig', '/nonexistent']);
      assert.deepEqual(
        [code, stdout, stderr],
        [2, '', `cappol: -o ${output} is a summary of workloads: leave out the policy "net"\n`],
      );
    }
  });
});

describe('cappol status -o compliance-json', () => {
  const isDocumented = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(SCHEMA, 'utf8')));

  it('has the form that its schema describes', () => {
    for (const seen of [view(), view({ policies: [], installed: false }), view({ workloads: [] })])
      assert.ok(isDocumented(JSON.parse(JSON.stringify(seen))), JSON.stringify(isDocumented.errors));
  });

  it('the JSON names all workloads with the rules that they break, and names each excepting policy once', () => {
    const { controls, exceptions, workloads, namespaces } = view();
    const breaks = [{ rule: 'hostPID', container: null }];
    const hostPID = controls.find(({ id }) => id === '5.2.3');
    assert.deepEqual(
      hostPID?.failed,
      ['one', 'two', 'three', 'four']
        .map((name) => ({ namespace: 'web', kind: 'Deployment', name, breaks }))
        .sort(byName),
    );
    assert.deepEqual(hostPID?.excepted, [
      { namespace: 'net', kind: 'DaemonSet', name: 'agent', breaks, policies: ['agents'] },
    ]);
    const { reason, expires } = OPEN.spec;
    assert.deepEqual(exceptions, [{ policy: 'agents', reason, expires }]);
    assert.deepEqual([workloads, namespaces], [6, ['net', 'web']]);
  });
});

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
