/** Tests `cappol migrate` from its input files to its output. UPDATE_GOLDEN=1 rewrites the golden files. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cappol } from '../support/cappol.ts';

const GOLDEN = join(import.meta.dirname, 'golden');
const CLASSIC = 'inputs/classic-restricted.yaml';
const THREE = 'inputs/three.yaml';
const OPENSHIFT = 'inputs/openshift.yaml';

const migrate = (args: readonly string[], stdin?: string) => cappol(['migrate', ...args], stdin, import.meta.dirname);

/** Maps each golden file to the command line that prints it. */
const PRINTED: Readonly<Record<string, readonly string[]>> = {
  'classic-restricted.yaml': ['-f', CLASSIC, '--strict'],
  'classic-restricted-enforced.yaml': ['-f', CLASSIC, '--strict', '--mode', 'Enforce'],
  'classic-restricted.txt': ['-f', CLASSIC, '-o', 'report'],
  'three.yaml': ['-f', THREE, '--mode', 'Enforce', '--namespace-selector', 'team=shop'],
  'three.txt': ['-f', THREE, '-o', 'report'],
  'three.json': ['-f', THREE, '-o', 'json'],
  'openshift.yaml': ['-f', OPENSHIFT, '--mode', 'Enforce'],
};

describe('cappol migrate prints', () => {
  for (const [golden, args] of Object.entries(PRINTED)) {
    it(`${args.join(' ')} as in ${golden}`, async () => {
      const { code, stdout, stderr } = await migrate(args);
      assert.equal(code, 0, stderr);
      const file = join(GOLDEN, golden);
      if (process.env.UPDATE_GOLDEN) writeFileSync(file, stdout);
      assert.equal(stdout, readFileSync(file, 'utf8'));
    });
  }

  it('the same from standard input', async () => {
    const text = readFileSync(join(import.meta.dirname, CLASSIC), 'utf8');
    assert.equal((await migrate(['-f', '-'], text)).stdout, (await migrate(['-f', CLASSIC])).stdout);
  });

  it('cappol migrate prints the same output for any order of the objects', async () => {
    const text = readFileSync(join(import.meta.dirname, CLASSIC), 'utf8');
    const reversed = text.split('---\n').toReversed().join('\n---\n');
    assert.equal((await migrate(['-f', '-'], reversed)).stdout, (await migrate(['-f', CLASSIC])).stdout);
  });
});

describe('cappol migrate prints the next steps on stderr', () => {
  const steps: Readonly<Record<string, readonly RegExp[]>> = {
    Audit: [
      /^1 policy, 0 bindings; 1 note, 0 of them on fields and values without an exact counterpart\n/,
      /the policies refuse no pod/,
      /migrate again with --mode Enforce/,
    ],
    Warn: [/the creator of the pod sees a warning/, /migrate again with --mode Enforce/],
    Enforce: [/the policies refuse violating pods/, /Below Kubernetes 1\.36, the policies fill in no field/],
  };
  for (const [mode, patterns] of Object.entries(steps)) {
    it(`in mode ${mode}`, async () => {
      const { stderr } = await migrate(['-f', CLASSIC, '--mode', mode]);
      for (const pattern of patterns) assert.match(stderr, pattern);
      assert.match(stderr, /No policy reaches kube-system/);
    });
  }
});

describe('cappol migrate --strict', () => {
  it('migrate --strict prints no policy if a field has no exact counterpart, names the field, and exits with 1', async () => {
    assert.deepEqual(await migrate(['-f', THREE, '--strict']), {
      code: 1,
      stdout: '',
      stderr: [
        'cappol: PodSecurityPolicy/default: spec.allowedCapabilities: CAP_NET_RAW: left out: containers that add the capability by this spelling are refused. Not every runtime grants a capability for this spelling: allow NET_RAW if containers need this capability\n',
      ].join(''),
    });
  });

  it('still prints the report', async () => {
    const { code, stdout } = await migrate(['-f', THREE, '--strict', '-o', 'report']);
    assert.equal(code, 1);
    assert.equal(stdout, readFileSync(join(GOLDEN, 'three.txt'), 'utf8'));
  });
});

describe('cappol migrate exits with 2 and prints one line for each error:', () => {
  const wrong = `apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: wrong}
spec:
  privileged: "no"
---
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata:
  name: refused
  annotations:
    seccomp.security.alpha.kubernetes.io/allowedProfileNames: default
spec:
  seLinux: {rule: RunAsAny}
  supplementalGroups: {rule: RunAsAny}
  fsGroup: {rule: RunAsAny}
  runAsUser:
    rule: MustRunAs
    ranges:
    - {min: 9, max: 1}
`;
  const rows: Readonly<Record<string, readonly [args: readonly string[], stdin: string, stderr: string]>> = {
    'fields, with file and line': [
      ['-f', '-'],
      wrong,
      [
        'cappol: standard input:5: PodSecurityPolicy/wrong: spec.privileged: Invalid value: string: must be of type boolean: write false, without quotes',
        'standard input:12: PodSecurityPolicy/refused: metadata.annotations["seccomp.security.alpha.kubernetes.io/allowedProfileNames"]: Invalid value: "default": must be a valid seccomp profile',
        'standard input:20: PodSecurityPolicy/refused: spec.runAsUser.ranges[0].min: Invalid value: 9: min cannot be greater than max\n',
      ].join('\n'),
    ],
    'no file': [[], '', 'cappol: nothing to migrate: name files with -f\n'],
    'nothing to migrate': [
      ['-f', '-'],
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
      'cappol: nothing to migrate: no PodSecurityPolicy and no SecurityContextConstraints in -\n',
    ],
    'a missing file': [['-f', 'nowhere.yaml'], '', 'cappol: nowhere.yaml: no such file or folder\n'],
  };
  for (const [title, [args, stdin, stderr]] of Object.entries(rows)) {
    it(title, async () => assert.deepEqual(await migrate(args, stdin), { code: 2, stdout: '', stderr }));
  }

  it('an unknown mode', async () => {
    const { code, stderr } = await migrate(['-f', CLASSIC, '--mode', 'enforce']);
    assert.equal(code, 2);
    assert.match(stderr, /--mode <mode>' argument 'enforce' is invalid/);
  });
});
