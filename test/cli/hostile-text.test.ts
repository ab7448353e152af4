/** Tests manifests with texts that try to break a command or to control a terminal. */
import assert from 'node:assert/strict';
import { cappol, type Ran } from '../support/cappol.ts';
import { podManifest } from '../support/pod-manifests.ts';
import { writtenPolicy } from '../support/policies.ts';

/**
 * Properties that every JavaScript object has. If cappol looks up a manifest's text in a table, the lookup must not
 * find an inherited property.
 */
const INHERITED = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__'] as const;

/**
 * Characters that a terminal, log viewer or XML parser interprets: C0 and C1 controls, line breaks, and bidirectional
 * controls.
 */
const HOSTILE = '\u001b[2J\u0007\r\n::error::\u009b31m\u202e\u2066\u2028]]>\u0000\ud800';
const OBEYED = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;

const OUTPUTS = ['table', 'wide', 'json', 'yaml', 'sarif', 'junit', 'github', 'markdown'] as const;

type Fields = Readonly<Record<string, unknown>>;

/** Writes a stream as JSON, so that `__proto__` is a key like any other. */
function stream(...objects: readonly (Fields | string)[]): string {
  return objects.map((object) => (typeof object === 'string' ? object : JSON.stringify(object))).join('\n---\n');
}

function pod(name: string, text: string): string {
  const quoted = JSON.stringify(text);
  return `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": ${JSON.stringify(name)}, "namespace": ${quoted},
    "labels": {${quoted}: "x"}, "annotations": {${quoted}: "x", "container.apparmor.security.beta.kubernetes.io/${'main'}": ${quoted}}},
    "spec": {"serviceAccountName": ${quoted}, "runtimeClassName": ${quoted}, "volumes": [{"name": ${quoted}, ${quoted}: {}, "hostPath": {"path": ${quoted}}}],
    "securityContext": {"sysctls": [{"name": ${quoted}, "value": "1"}], "seccompProfile": {"type": ${quoted}}, "seLinuxOptions": {"type": ${quoted}}},
    "containers": [{"name": ${quoted}, "image": ${quoted}, "securityContext": {"procMount": ${quoted}, "capabilities": {"add": [${quoted}], "drop": [${quoted}]}}}]}}`;
}

const COMMANDS: readonly (readonly string[])[] = [
  ['check', '-f', '-'],
  ['check', '-f', '-', '-o', 'json'],
  ['explain', '-f', '-'],
  ['suggest', '-f', '-'],
  ['migrate', '-f', '-'],
  ['render', '--policy', '-'],
];

function assertNoFault({ stderr }: Ran): void {
  assert.doesNotMatch(
    stderr,
    /Unsupported type|TypeError|not a function|not iterable|Cannot (read|convert)|undefined \(|\n\s+at /,
  );
}

describe('a name that every JavaScript object has as a property', () => {
  for (const text of INHERITED) {
    for (const args of COMMANDS) {
      it(`${text} breaks no \`cappol ${args.join(' ')}\``, async () => {
        const quoted = JSON.stringify(text);
        const objects = [
          `{"apiVersion": ${quoted}, "kind": ${quoted}, "metadata": {"name": ${quoted}}, ${quoted}: {"spec": ${quoted}}}`,
          `{"apiVersion": ${quoted}, "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": []}}`,
          `{"apiVersion": "v1", "kind": ${quoted}, "metadata": {"name": "a"}}`,
          `{"apiVersion": "example.com/v1", "kind": ${quoted}, "metadata": {"name": "a"}, "spec": {${quoted}: {"template": ${quoted}}}}`,
          pod('a', text),
          writtenPolicy('plain'),
          writtenPolicy('constructor', { overrides: { capabilities: { allowedAdd: ['NET_RAW'] } } }),
        ];
        for (const object of objects) {
          assertNoFault(await cappol(args, stream(object, writtenPolicy('plain'))));
          assertNoFault(await cappol(args, stream(object, writtenPolicy('plain'), writtenPolicy('constructor'))));
        }
      });
    }
  }

  it('an apiVersion with the name of a built-in property does not stop the evaluation of the other documents', async () => {
    const { code, stdout } = await cappol(
      ['check', '-f', '-', '-o', 'json'],
      stream(
        { apiVersion: 'constructor', kind: 'Pod', metadata: { name: 'a' } },
        writtenPolicy('plain'),
        pod('b', 'x'),
      ),
    );
    assert.equal(code, 2);
    assert.equal(JSON.parse(stdout).summary.items, 1);
  });

  it('a field with the name of a built-in property, anywhere in a pod, does not stop the evaluation', async () => {
    const volumes = JSON.parse('[{"name": "v", "constructor": {}, "__proto__": {}}]');
    const context = { constructor: { constructor: 1 }, capabilities: { add: ['SYS_ADMIN'] } };
    const containers = [{ name: 'c', securityContext: context, livenessProbe: { constructor: [{ constructor: 1 }] } }];
    const { code, stdout } = await cappol(
      ['check', '-f', '-', '-o', 'json'],
      stream(writtenPolicy('plain'), podManifest({ name: 'b' }, { volumes, containers, constructor: {} })),
    );
    assert.equal(code, 1);
    const [{ violations }] = JSON.parse(stdout).items;
    const rules = violations.map((one: { rule: string }) => one.rule);
    assert.ok(rules.includes('capabilities') && rules.includes('volumes'), rules.join());
  });

  it('fix makes the same edits in a pod with and without a field with the name of a built-in property', async () => {
    const context = { capabilities: { add: ['SYS_ADMIN'] }, privileged: true };
    const fixed = async (more: Fields) => {
      const { stdout } = await cappol(
        ['fix', '-f', '-', '--level', 'restricted', '-o', 'json'],
        stream(podManifest({ name: 'b' }, { containers: [{ name: 'c', securityContext: { ...context, ...more } }] })),
      );
      const { edits, left } = JSON.parse(stdout);
      return { edits, left };
    };
    const expected = await fixed({});
    assert.ok(expected.edits.length > 3);
    const { edits, left } = await fixed({ constructor: { constructor: 1 } });
    // Only the rule about unknown fields reads the field `constructor`.
    assert.deepEqual({ edits, left: left.filter(({ rule }: Fields) => rule !== 'unknownFields') }, expected);
    assert.equal(left.length, expected.left.length + 1);
  });

  it('a policy can select namespaces by a label with the name of a built-in property', async () => {
    const labels = { constructor: 'a' };
    const policy = writtenPolicy('plain', { namespaceSelector: { matchLabels: labels } });
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default', labels } };
    const ran = await cappol(
      ['check', '-f', '-', '-o', 'json'],
      stream(policy, namespace, podManifest({ name: 'b' }, { hostNetwork: true, containers: [] })),
    );
    assertNoFault(ran);
    assert.equal(ran.code, 1);
    const [{ violations }] = JSON.parse(ran.stdout).items;
    assert.ok(violations.some((one: { rule: string }) => one.rule === 'hostNetwork'));
  });

  it('check reports the violations of a policy with the name of a built-in property', async () => {
    const { code, stdout } = await cappol(
      ['check', '-f', '-', '-o', 'json'],
      stream(writtenPolicy('constructor'), pod('b', 'x')),
    );
    assert.equal(code, 1);
    const [{ violations }] = JSON.parse(stdout).items;
    assert.ok(violations.length > 5);
    assert.ok(violations.every((one: { policy: string }) => one.policy === 'constructor'));
  });
});

describe('text that controls a terminal', () => {
  const MANIFESTS = stream(
    writtenPolicy('plain'),
    pod(HOSTILE, HOSTILE),
    { apiVersion: `example.com${HOSTILE}/v1`, kind: `Widget${HOSTILE}`, metadata: { name: 'a' } },
    {
      apiVersion: 'example.com/v1',
      kind: `Widget${HOSTILE}`,
      metadata: { name: HOSTILE, namespace: HOSTILE },
      spec: { [HOSTILE]: { template: { spec: { containers: [{ name: 'a', image: HOSTILE }] } } } },
    },
    { apiVersion: `v1${HOSTILE}`, kind: `Pod${HOSTILE}`, metadata: { name: HOSTILE } },
    podManifest({ name: HOSTILE }, { hostPID: HOSTILE, containers: [] }),
    writtenPolicy(HOSTILE, { [HOSTILE]: HOSTILE }),
  );

  for (const output of OUTPUTS) {
    it(`is printed by check -o ${output} without control characters`, async () => {
      const { stdout, stderr } = await cappol(['check', '-f', '-', '-o', output], MANIFESTS);
      for (const line of [...stdout.split('\n'), ...stderr.split('\n')]) assert.doesNotMatch(line, OBEYED);
      assert.match(stdout + stderr, /Widget/);
      assert.match(stdout, /::error::/);
    });
  }

  for (const args of [
    ['explain', '-f', '-'],
    ['explain', '-f', '-', '-o', 'json'],
    ['suggest', '-f', '-'],
    ['suggest', '-f', '-', '-o', 'json'],
    ['suggest', '-f', '-', '-o', 'report'],
    ['migrate', '-f', '-'],
    ['render', '--policy', '-'],
    ['explain', HOSTILE],
  ]) {
    it(`is printed by \`cappol ${args.filter((one) => one !== HOSTILE).join(' ')}\` without control characters`, async () => {
      const { stdout, stderr } = await cappol(args, MANIFESTS);
      for (const line of [...stdout.split('\n'), ...stderr.split('\n')]) assert.doesNotMatch(line, OBEYED);
    });
  }
});
