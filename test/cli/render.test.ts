/** Tests `cappol render`, which prints native objects as YAML. Rendering the same policies twice gives equal texts. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { differences } from '../../cli/commands/render/diff.ts';
import { formatVersion, NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { cappol } from '../support/cappol.ts';
import { policyManifest } from '../support/policies.ts';

const SAMPLES = join(import.meta.dirname, '..', '..', 'config', 'samples');
const FILES = readdirSync(SAMPLES).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');

// biome-ignore lint/suspicious/noExplicitAny: tests read any field of Kubernetes objects
type Json = any;

async function render(...args: readonly string[]): Promise<{ text: string; objects: Json[] }> {
  const { code, stdout, stderr } = await cappol(['render', ...args], '', SAMPLES);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  return { text: stdout, objects: loadAll(stdout) };
}

describe('cappol render', () => {
  it('render prints the same text for any order of the files', async () => {
    const { text } = await render('--policy', ...FILES);
    assert.equal((await render('--policy', ...FILES.toReversed())).text, text);
    assert.equal((await render('--policy', '.')).text, text);
  });

  it('render prints only objects that need no operator, without missing owners and without probes', async () => {
    const { objects } = await render('--policy', '.');
    assert.deepEqual([...new Set(objects.map(({ kind }) => kind))].sort(), [
      'ClusterRole',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
    ]);
    for (const { metadata } of objects) {
      assert.equal(metadata.ownerReferences, undefined);
      assert.doesNotMatch(metadata.name, /-probe$/);
    }
    const policies = objects
      .filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
      .map(({ metadata }) => metadata.name);
    for (const { spec } of objects.filter(({ kind }) => kind.endsWith('Binding') && kind.startsWith('Validating'))) {
      assert.ok(policies.includes(spec.policyName));
    }
  });

  it('render prints the roles first, then the guard, defaulting, and a program for each mode', async () => {
    const spec = { namespaceSelector: {}, level: 'restricted' };
    const policies = [
      policyManifest(
        { name: 'b' },
        {
          ...spec,
          mode: 'Enforce',
          defaulting: 'Enabled',
          usableBy: 'Subjects',
          subjects: [{ kind: 'User', name: 'jane' }],
        },
      ),
      policyManifest({ name: 'a' }, { ...spec, mode: 'Audit' }),
      policyManifest({ name: 'c' }, { ...spec, mode: 'Warn' }),
    ];
    const { stdout } = await cappol(
      ['render', '--policy', '-'],
      policies.map((one) => JSON.stringify(one)).join('\n---\n'),
    );
    const objects = loadAll(stdout) as Json[];
    assert.deepEqual(
      objects
        .filter(({ kind }) => !kind.endsWith('PolicyBinding'))
        .map(({ kind, metadata }) => `${kind} ${metadata.name}`),
      [
        'ClusterRole capabilitypolicy.dev:use:a',
        'ClusterRole capabilitypolicy.dev:use:b',
        'ClusterRoleBinding capabilitypolicy.dev:use:b',
        'ClusterRole capabilitypolicy.dev:use:c',
        'ValidatingAdmissionPolicy capabilitypolicy.guard',
        'MutatingAdmissionPolicy capabilitypolicy.defaulting',
        'ValidatingAdmissionPolicy capabilitypolicy.enforce',
        'ValidatingAdmissionPolicy capabilitypolicy.warn',
        'ValidatingAdmissionPolicy capabilitypolicy.audit',
      ],
    );
    for (const { metadata } of objects) assert.equal(metadata.annotations, undefined);
  });

  it('render prints each row on one line, even if the row is long', async () => {
    const allowedAdd = [
      'NET_ADMIN',
      'NET_RAW',
      'SYS_ADMIN',
      'SYS_CHROOT',
      'SYS_NICE',
      'SYS_PTRACE',
      'SYS_TIME',
      'KILL',
    ];
    const names = Array.from({ length: 20 }, (_, i) => `exception-${i}`);
    const policies = names.map((name) =>
      policyManifest(
        { name },
        {
          namespaceSelector: { matchLabels: { team: name } },
          level: 'restricted',
          mode: 'Warn',
          overrides: { capabilities: { allowedAdd } },
        },
      ),
    );
    const { stdout } = await cappol(
      ['render', '--policy', '-'],
      policies.map((one) => JSON.stringify(one)).join('\n---\n'),
    );
    const rows = stdout.split('\n').filter((line) => /^ +\{"name":\["exception-\d+"\],.*"SYS_TIME".*\},?$/.test(line));
    assert.equal(rows.length, names.length);
  });

  it('render binds the role of a policy even if the name of the policy ends in -probe', async () => {
    const policy = policyManifest(
      { name: 'dns-probe' },
      {
        namespaceSelector: {},
        level: 'restricted',
        usableBy: 'Subjects',
        subjects: [{ kind: 'User', name: 'jane' }],
      },
    );
    const { stdout } = await cappol(['render', '--policy', '-'], JSON.stringify(policy));
    assert.match(stdout, /^kind: ClusterRoleBinding$/m);
    const bindings = (loadAll(stdout) as Json[]).filter(({ kind }) => kind === 'ClusterRoleBinding');
    assert.notEqual(differences([], bindings), '');
  });

  it('compares no canaries, which decide about nothing', async () => {
    const { objects } = await render('--policy', '.');
    const programs = objects.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
    const canaries = programs.map((one) => ({
      ...one,
      metadata: { ...one.metadata, name: `${one.metadata.name}-canary` },
    }));
    assert.notEqual(differences(programs, []), '');
    assert.equal(differences(canaries, []), '');
  });

  it('binds a policy to its subjects', async () => {
    const text = readFileSync(join(SAMPLES, 'ping.yaml'), 'utf8');
    const subjects = '  usableBy: Subjects\n  subjects: [{kind: ServiceAccount, name: pinger, namespace: net}]\n';
    const { stdout } = await cappol(['render', '--policy', '-'], `${text.trimEnd()}\n${subjects}`);
    const binding = (loadAll(stdout) as Json[]).find(({ kind }) => kind === 'ClusterRoleBinding');
    assert.equal(binding.roleRef.name, 'capabilitypolicy.dev:use:ping');
    assert.deepEqual(binding.subjects, [{ kind: 'ServiceAccount', name: 'pinger', namespace: 'net' }]);
  });

  it('flags give render the values that the operator reads from the cluster', async () => {
    const { text } = await render(
      '--policy',
      'restricted.yaml',
      '--excluded-namespaces',
      'mine,other-*',
      '--operator-namespace',
      'home',
    );
    assert.match(
      text,
      /request\.namespace in\s+\["home",\s+"mine"\]\s+\|\|\s+request\.namespace\.startsWith\("other-"\)/,
    );
    assert.match(
      (await render('--policy', 'restricted.yaml', '--server-version', 'v1.30')).text,
      /kind: ValidatingAdmissionPolicy/,
    );
  });

  it('labels the namespaces of the files', async () => {
    const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {environment: production}}\n';
    const { stdout } = await cappol(
      ['render', '--policy', '-'],
      `${readFileSync(join(SAMPLES, 'restricted.yaml'), 'utf8')}---\n${namespace}`,
    );
    const { metadata } = (loadAll(stdout) as Json[]).find(({ kind }) => kind === 'Namespace');
    assert.deepEqual(metadata.labels, {
      environment: 'production',
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/enforce-version': formatVersion(NEWEST_KNOWN_MINOR),
    });
  });

  it('render prints nothing on the standard output if there is an error', async () => {
    const bad =
      'apiVersion: capabilitypolicy.dev/v1alpha1\nkind: CapabilityPolicy\nmetadata: {name: bad}\nspec: {level: none}\n';
    const { code, stdout, stderr } = await cappol(['render', '--policy', 'restricted.yaml', '-'], bad, SAMPLES);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
    assert.match(
      stderr,
      /^cappol: standard input:4: CapabilityPolicy bad: spec\.level: Unsupported value: "none": supported values: /,
    );
  });
});
