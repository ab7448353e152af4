/** Tests which results make `cappol check` exit with code 1. */
import assert from 'node:assert/strict';
import { cappol } from '../support/cappol.ts';

const MODES = ['Enforce', 'Warn', 'Audit'] as const;

/** A namespace for each mode. Each namespace has a policy of one mode, and a pod that this policy does not admit. */
const MANIFESTS = MODES.map((mode) => {
  const name = mode.toLowerCase();
  return `apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: ${name}}
spec:
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${name}}}
  level: baseline
  mode: ${mode}
`;
}).join('---\n');

function podIn(mode: string): string {
  return `apiVersion: v1
kind: Pod
metadata: {name: bad, namespace: ${mode.toLowerCase()}}
spec: {hostNetwork: true, containers: []}
`;
}

async function exitCode(modes: readonly string[], ...args: readonly string[]): Promise<number> {
  const text = [MANIFESTS, ...modes.map(podIn)].join('---\n');
  const { code, stdout } = await cappol(['check', '-f', '-', '-o', 'json', ...args], text);
  assert.equal(JSON.parse(stdout).summary.violating, modes.length);
  return code;
}

describe('check: exit code', () => {
  it('the exit code is 1 for a violation of a policy in any mode', async () => {
    for (const mode of MODES) assert.equal(await exitCode([mode]), 1, mode);
  });

  it('with --warn, the exit code is 1 only for a violation of a policy in mode Enforce', async () => {
    for (const mode of MODES) assert.equal(await exitCode([mode], '--warn'), mode === 'Enforce' ? 1 : 0, mode);
    assert.equal(await exitCode(MODES, '--warn'), 1);
  });

  it('with --fail-on, the exit code is 1 only for violations in the named modes', async () => {
    for (const named of MODES) {
      for (const mode of MODES) {
        assert.equal(await exitCode([mode], '--fail-on', named), mode === named ? 1 : 0, `${named} ${mode}`);
      }
    }
    assert.equal(await exitCode(['Audit'], '--fail-on', 'Enforce,Audit'), 1);
    assert.equal(await exitCode(['Warn'], '--fail-on', 'Enforce,Audit'), 0);
  });

  it('with --fail-on None is 0 whatever violates', async () => {
    assert.equal(await exitCode(MODES, '--fail-on', 'None'), 0);
  });

  it('check accepts the words of --fail-on in lower case, too', async () => {
    assert.equal(await exitCode(['Audit'], '--fail-on', 'enforce,audit'), 1);
  });

  it('the exit code is 2 for broken input, whatever --fail-on names', async () => {
    const { code } = await cappol(['check', '-f', '-', '--fail-on', 'None'], `${MANIFESTS}---\na: 1\na: 2\n`);
    assert.equal(code, 2);
  });

  it('refuses unknown words, and --warn beside --fail-on', async () => {
    const WRONG: readonly (readonly [args: readonly string[], told: RegExp])[] = [
      [
        ['--fail-on', 'errors'],
        /^cappol: option '--fail-on <list>' argument 'errors' is invalid\. "errors" is not one of Enforce, /,
      ],
      [['--fail-on', 'None,Audit'], /None cannot be combined with another word/],
      [['--fail-on', ''], /"" is not one of/],
      [['--warn', '--fail-on', 'Audit'], /^cappol: option '--warn' cannot be used with option '--fail-on <list>'/],
    ];
    for (const [args, told] of WRONG) {
      const { code, stdout, stderr } = await cappol(['check', '-f', '-', ...args], MANIFESTS);
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
      assert.match(stderr, told);
    }
  });
});
