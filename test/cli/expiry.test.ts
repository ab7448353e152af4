/** Tests how cappol evaluates policies that expire. */
import assert from 'node:assert/strict';
import { dump } from 'js-yaml';
import { statusText } from '../../cli/commands/status/text.ts';
import { statusView } from '../../cli/commands/status/view.ts';
import { PLAIN } from '../../cli/output/terminal.ts';
import { Evaluator } from '../../operator/evaluate/violations.ts';
import type { Cluster } from '../../operator/model/objects.ts';
import { parseTime } from '../../operator/policy/expiry.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { PolicyState } from '../../operator/state/policy-state.ts';
import { cappol } from '../support/cappol.ts';
import { restrictedPod } from '../support/pod-manifests.ts';
import { adding } from '../support/pods.ts';
import { policy, writtenPolicy } from '../support/policies.ts';
import { clusterOf, workloadView } from '../support/views.ts';

const END = '2999-01-31T00:00:00Z';
const BEFORE = '2999-01-30T23:59:59Z';
const NET_RAW = { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } }, priority: 10 };
const EXCEPTION = { ...NET_RAW, expires: END, reason: 'until TICKET-1' };
const POLICIES = [writtenPolicy('exception', EXCEPTION), writtenPolicy('restricted')];
const WARNING = `standard input:1: warning: CapabilityPolicy exception expired at ${END} and counts as deleted`;

const yaml = (...objects: readonly object[]) => objects.map((object) => dump(object)).join('---\n');

describe('cappol, of a policy that expires,', () => {
  for (const [time, code, evaluated] of [
    [undefined, 0, '2 policies'],
    [BEFORE, 0, '2 policies'],
    [END, 1, '1 policy'],
    ['2999-01-31T01:00:00+01:00', 1, '1 policy'],
  ] as const) {
    it(`checks manifests by the policies of ${time ?? 'now'}`, async () => {
      const input = yaml(...POLICIES, restrictedPod({ add: ['NET_RAW'] }));
      const answer = await cappol(['check', '-f', '-', ...(time ? ['--at', time] : [])], input);
      assert.equal(answer.code, code, answer.stdout);
      assert.match(answer.stdout, new RegExp(`evaluated against ${evaluated}`));
      assert.equal(answer.stderr, code === 0 ? '' : `cappol: ${WARNING}\n`);
    });
  }

  it('render writes the end of a policy into the program, and leaves out an expired policy', async () => {
    const before = await cappol(['render', '--policy', '-'], yaml(...POLICIES));
    assert.equal(before.stderr, '');
    assert.ok(before.stdout.includes(`"expires":["${END}"]`));
    assert.match(before.stdout, /variables\.created\s+<\s+timestamp\(p\.expires\[0\]\)/);
    const after = await cappol(['render', '--policy', '-', '--at', END], yaml(...POLICIES));
    assert.deepEqual([after.code, after.stderr], [0, `cappol: ${WARNING}\n`]);
    assert.equal(after.stdout, (await cappol(['render', '--policy', '-'], yaml(writtenPolicy('restricted')))).stdout);
  });

  for (const [command, ...args] of [['check', '-f', '-'], ['render', '--policy', '-'], ['status']]) {
    it(`says how to write --at: ${command}`, async () => {
      for (const time of ['tomorrow', '2999-01-31', '2999-02-30T00:00:00Z']) {
        const { code, stderr } = await cappol([command as string, ...args, '--at', time], '');
        assert.equal(code, 2);
        assert.match(
          stderr,
          new RegExp(
            `^cappol: option '--at <time>' argument '${time}' is invalid\\. write date and time in whole seconds with Z or an offset \\(RFC 3339\\), such as 2027-01-31T00:00:00Z\\.`,
          ),
        );
      }
    });
  }

  describe('status', () => {
    const cluster: Cluster = {
      ...clusterOf([workloadView('Deployment', 'pinger', { template: adding(['NET_RAW']) })]),
      policies: () => [policy('exception', { ...EXCEPTION } as never), policy('restricted')],
      namespaces: () => [{ name: 'net', uid: 'net', terminating: false, labels: {}, labelOwners: {} }],
      rendered: () => [],
      roles: () => [],
      roleBindings: () => [],
      policy: () => undefined,
      namespace: () => undefined,
      oldestServer: NEWEST_KNOWN_MINOR,
    };
    const view = (time: string) => {
      const options = { operatorNamespace: 'operator', excludedNamespaces: [], podSecurityDefaults: {} };
      const now = () => parseTime(time) as number;
      const state = new PolicyState(cluster, { ...options, now });
      state.accept();
      const protection = { status: 'Unknown', message: 'not asked' } as const;
      const readable = { cluster, state, use: state.use, canEvaluate: true, usersKnown: true, protection, missing: [] };
      return statusView(readable, new Evaluator());
    };
    const lines = (time: string) =>
      statusText(view(time), { terminal: PLAIN, wide: false, whole: false, namespace: undefined, at: parseTime(time) });

    it('evaluates by the policies of the time', () => {
      const deciding = (time: string) => view(time).policies.map(({ name, namespaces }) => [name, namespaces.deciding]);
      assert.deepEqual(deciding(BEFORE), [
        ['exception', 1],
        ['restricted', 0],
      ]);
      assert.deepEqual(deciding(END), [
        ['exception', 0],
        ['restricted', 1],
      ]);
    });

    it('names the end and the reason', () => {
      const { expires, expired, reason } = view(END).policies[0] ?? {};
      assert.deepEqual({ expires, expired, reason }, { expires: END, expired: true, reason: 'until TICKET-1' });
      assert.match(lines(BEFORE), new RegExp(`^exception: expires at ${END}; reason: until TICKET-1$`, 'm'));
      assert.match(
        lines(END),
        new RegExp(`^exception: expired at ${END} and counts as deleted; reason: until TICKET-1$`, 'm'),
      );
      assert.match(lines(END), new RegExp(`^At ${END}: 2 policies`));
    });
  });
});
