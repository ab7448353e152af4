/**
 * Tests `cappol check --level --level-version`, which checks against a level of the Pod Security Standards without a
 * policy.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { cappol } from '../support/cappol.ts';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'));

/** A pod that complies with the level restricted, except for the fields of `container`. */
function pod(name: string, container: string, namespace = 'web'): string {
  return `apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - {name: main, image: app, securityContext: {allowPrivilegeEscalation: false, ${container}}}
`;
}

const GOOD = pod('good', 'capabilities: {drop: [ALL]}');
const KEEPS = pod('keeps', 'capabilities: {}');
const ADDS = pod('adds', 'capabilities: {drop: [ALL], add: [SYS_TIME]}', 'kube-system');
const POLICY = `apiVersion: capabilitypolicy.dev/v1alpha1
kind: CapabilityPolicy
metadata: {name: loose}
spec: {namespaceSelector: {}, level: privileged, mode: Enforce}
`;

async function verdicts(objects: readonly string[], ...args: readonly string[]): Promise<Record<string, string>> {
  const { stdout, stderr } = await cappol(['check', '-f', '-', '-o', 'json', ...args], objects.join('---\n'));
  assert.equal(stderr, '');
  const items: readonly { name: string; verdict: string }[] = JSON.parse(stdout).items;
  return Object.fromEntries(items.map((item) => [item.name, item.verdict]));
}

describe('check --level', () => {
  it('check --level evaluates all namespaces by the level, and exits with 1 for a violation', async () => {
    const { code, stdout, stderr } = await cappol(['check', '-f', '-', '--level', 'restricted'], `${GOOD}---\n${ADDS}`);
    assert.deepEqual([code, stderr], [1, '']);
    assert.match(stdout, /container "main" must not add capability SYS_TIME \(allowed: NET_BIND_SERVICE\)/);
    assert.match(stdout, /2 workloads evaluated against 1 policy: 1 compliant, 1 violating/);
    assert.deepEqual(await verdicts([KEEPS, ADDS], '--level', 'baseline'), { keeps: 'Compliant', adds: 'Violating' });
  });

  it('evaluates by the version that --level-version names', async () => {
    assert.deepEqual(await verdicts([KEEPS], '--level', 'restricted'), { keeps: 'Violating' });
    assert.deepEqual(await verdicts([KEEPS], '--level', 'restricted', '--level-version', 'latest'), {
      keeps: 'Violating',
    });
    // The Standard requires `drop: [ALL]` since v1.22.
    assert.deepEqual(await verdicts([KEEPS], '--level', 'restricted', '--level-version', 'v1.21'), {
      keeps: 'Compliant',
    });
  });

  it('ignores the policies among the manifests', async () => {
    assert.deepEqual(await verdicts([POLICY, ADDS], '--level', 'restricted'), { adds: 'Violating' });
  });

  it('refuses options that exclude each other', async () => {
    const WRONG: readonly (readonly [args: readonly string[], told: RegExp])[] = [
      [
        ['--level', 'restricted', '--policy', 'a'],
        /^cappol: option '--level <level>' cannot be used with option '--policy/,
      ],
      [['--level', 'strict'], /Allowed choices are privileged, baseline, restricted/],
      [['--level-version', 'v1.30'], /^cappol: --level-version requires --level\n$/],
      [
        ['--level', 'restricted', '--level-version', '1.30'],
        new RegExp(`write latest or v1\\.N, such as ${formatVersion(NEWEST_KNOWN_MINOR)}\\.`),
      ],
      [
        ['--level', 'restricted', '--level-version', 'v1.99'],
        /^cappol: --level: CapabilityPolicy level-restricted: .*v1\.99 is too new/,
      ],
    ];
    for (const [args, told] of WRONG) {
      const { code, stderr } = await cappol(['check', '-f', '-', ...args], GOOD);
      assert.equal(code, 2);
      assert.match(stderr, told);
    }
  });
});

describe('--version', () => {
  it('prints the version', async () => {
    assert.deepEqual(await cappol(['--version']), { code: 0, stdout: `cappol ${version}\n`, stderr: '' });
  });
});
