/**
 * Tests the output of `cappol check` in a pipe. The lines of the output fit a screen. The output marks a workload if
 * its old pods violate a policy and its template complies.
 */
import assert from 'node:assert/strict';
import { itemsOf } from '../../analysis/check/running.ts';
import { shortMessage } from '../../analysis/check/short-message.ts';
import { shownOf } from '../../cli/commands/check/reporters/shown.ts';
import { tableReporter } from '../../cli/commands/check/reporters/table.ts';
import { PLAIN } from '../../cli/output/terminal.ts';
import { evaluateNamespace } from '../../operator/evaluate/namespace.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import { PolicyState } from '../../operator/state/policy-state.ts';
import { cappol } from '../support/cappol.ts';
import { adding, pod } from '../support/pods.ts';
import { baselinePolicy } from '../support/policies.ts';
import { clusterOf, ownedBy, podView, wholeCluster, workloadView } from '../support/views.ts';

const POLICY = (name: string, level: string, mode: string) =>
  `apiVersion: capabilitypolicy.dev/v1alpha1\nkind: CapabilityPolicy\nmetadata: {name: ${name}}\nspec: {namespaceSelector: {}, level: ${level}, mode: ${mode}}\n`;
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: nginx, securityContext: {capabilities: {add: [NET_ADMIN, SYS_TIME]}}}]
      volumes: [{name: logs, hostPath: {path: /var/log}}]
`;
const BASE = [POLICY('base', 'baseline', 'Enforce'), DEPLOYMENT].join('---\n');
const BOTH = [POLICY('tight', 'restricted', 'Warn'), BASE].join('---\n');

describe('check in a pipe', () => {
  it('check prints no line over 200 characters, and prints all accepted values with -o wide', async () => {
    const { stdout } = await cappol(['check', '-f', '-'], BASE);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 200, line);
    assert.match(stdout, /add capability NET_ADMIN, SYS_TIME \(allowed: AUDIT_WRITE, .* and \d more\)$/m);
    const wide = await cappol(['check', '-f', '-', '-o', 'wide'], BASE);
    assert.match(wide.stdout, /\(allowed: AUDIT_WRITE, .*, SETUID, SYS_CHROOT\)$/m);
  });

  it('check prints all values of short lists, and names policies in the same way in each output', async () => {
    const { stdout } = await cappol(['check', '-f', '-'], BOTH);
    assert.match(stdout, / base, tight \(warned\) .*allowed by tight: NET_BIND_SERVICE/m);
    assert.match(stdout, /\(allowed: RuntimeDefault, Localhost\)$/m);
    const github = await cappol(['check', '-f', '-', '-o', 'github'], BOTH);
    assert.match(github.stdout, /::CapabilityPolicy base, tight \(warned\): capabilities: /);
    assert.doesNotMatch(github.stdout, /CapabilityPolicies/);
  });

  it('check shortens only the lists of accepted values in messages, and only as far as necessary', () => {
    const message = 'x, y (allowed by one: aa, bb, cc, dd; allowed by two: e)';
    const all = [100, 55, 50, 1].map((most) => shortMessage(message, most));
    assert.deepEqual(all, [
      message,
      'x, y (allowed by one: aa and 3 more; allowed by two: e)',
      'x, y (allowed by one: 4 values; allowed by two: e)',
      'x, y (allowed by one: 4 values; allowed by two: e)',
    ]);
    assert.equal(shortMessage('a, b, c (d, e, f)', 1), 'a, b, c (d, e, f)');
  });
});

describe('a workload whose template was repaired', () => {
  const old = workloadView('ReplicaSet', 'old', { template: adding(['SYS_TIME']), ...ownedBy('Deployment', 'web') });
  const oldPod = podView('old-1', { ...adding(['SYS_TIME']), ...ownedBy('ReplicaSet', 'old') });

  function items(template = pod()) {
    const net = { name: 'net', uid: 'net', terminating: false, labels: {}, labelOwners: {} };
    const web = workloadView('Deployment', 'web', { template });
    const cluster = wholeCluster(clusterOf([web, old], [oldPod]), [baselinePolicy('all', { mode: 'Enforce' })], [net]);
    const state = new PolicyState(cluster, { operatorNamespace: 'op', excludedNamespaces: [], now: () => 0 });
    state.accept();
    const evaluation = { evaluator: new Evaluator(), use: state.use };
    return itemsOf(evaluateNamespace(net, state.selecting('net'), cluster, evaluation), cluster);
  }

  it('says that only old pods violate', () => {
    const [item, ...others] = items();
    assert.ok(item);
    assert.deepEqual([item.verdict, item.onlyOldPods, others], ['Violating', true, []]);
    let text = '';
    const stdout = {
      write(more: string) {
        text += more;
      },
    };
    const reporter = tableReporter({ stdout, cwd: '/', terminal: PLAIN }, false);
    reporter.item(shownOf(item, false));
    reporter.end({ notEvaluated: [], notKubernetes: [], excludedNamespaces: [] } as never, {
      policies: 1,
      merged: 1,
      hidden: 0,
    });
    assert.match(
      text,
      /add capability SYS_TIME \(.*\); only pods of an older template violate a policy: the current template complies$/m,
    );
  });

  it('check does not mention old pods if the template itself violates the policy', () => {
    assert.deepEqual(
      items(adding(['SYS_TIME'])).map(({ onlyOldPods }) => onlyOldPods),
      [false],
    );
  });
});
