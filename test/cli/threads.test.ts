/**
 * Tests documents that other threads check. The results and their order must not depend on how the threads share the
 * documents.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { evaluatePiece, type ResultCall, recordedCalls } from '../../analysis/check/evaluated-piece.ts';
import { type Evaluated, ManifestEvaluator } from '../../analysis/check/manifest-evaluator.ts';
import type { InputObject } from '../../analysis/manifests/document-objects.ts';
import type { Trouble } from '../../analysis/manifests/trouble.ts';
import { PolicyContextBuilder } from '../../analysis/policies/context-builder.ts';
import type { EvaluationInput } from '../../cli/commands/check/evaluation-thread.ts';
import { EvaluationThreads } from '../../cli/commands/check/evaluation-threads.ts';
import { manifestFiles } from '../../cli/input/files.ts';
import { piecesOf } from '../../cli/input/manifests.ts';
import type { RawObject } from '../../operator/model/raw.ts';
import { NEWEST_KNOWN_MINOR } from '../../operator/standards/level-version.ts';
import { ROOT } from '../support/page.ts';

const CLI = join(ROOT, 'cli', 'main.ts');
const MIB = 1024 * 1024;

describe('check in threads', function () {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), 'cappol-threads-'));
  const builder = new PolicyContextBuilder();
  const options = {
    operatorNamespace: 'capabilitypolicy-system',
    excludedNamespaces: ['kube-system'],
    oldestServer: NEWEST_KNOWN_MINOR,
    namespaceLabels: { team: 'net' },
    at: Date.UTC(2027, 0, 1),
  };

  before(() => {
    mkdirSync(join(folder, 'many'));
    for (let index = 0; index < 60; index++) writeFileSync(join(folder, 'many', `${index}.yaml`), document(index));
    writeFileSync(join(folder, 'stream.yaml'), Array.from({ length: 60 }, (_, at) => document(at)).join('---\n'));
    for (const [name, labels] of [
      ['default', { team: 'net' }],
      ['shop', { team: 'shop' }],
    ] as const)
      builder.addManifest(inputOf({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }), fail);
    builder.addManifest(inputOf(policy('ping', 'net', { usableBy: 'Subjects', subjects: SUBJECTS })), fail);
    builder.addManifest(inputOf(policy('shop', 'shop', { expires: '2026-12-01T00:00:00Z' })), fail);
    builder.addManifest(inputOf(policy('tokens', 'shop', { level: 'privileged', overrides: { volumes: [] } })), fail);
    const metadata = { name: 'default', namespace: 'shop' };
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false };
    builder.addManifest(inputOf(account), fail);
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [threads, batchSize] of [
    [1, 1],
    [2, 1],
    [2, 2000],
    [4, 300],
  ] as const) {
    it(`evaluates as the main thread does: ${threads} with batches of ${batchSize}`, async () => {
      const expected: ResultCall[] = [];
      const context = builder.build(options, () => {});
      const evaluator = new CountingEvaluator({ context, namespace: 'default' });
      for await (const piece of pieces(expected)) evaluatePiece(piece, evaluator, recordedCalls(expected));
      const all = evaluator.evaluated;
      const kinds = new Set(expected.map(([name]) => name));
      assert.deepEqual([...kinds].sort(), ['item', 'notEvaluated', 'notKubernetes', 'skipped', 'trouble']);

      const found: ResultCall[] = [];
      const pool = new EvaluationThreads(threads, batchSize);
      try {
        const { collected } = builder;
        pool.begin({ collected, options, namespace: 'default' } as EvaluationInput);
        assert.equal(await pool.evaluate(pieces(found), evaluator, recordedCalls(found)), true);
      } finally {
        await pool.end();
      }
      assert.deepEqual(found, expected);
      if (batchSize > 1) return;
      const here = evaluator.evaluated - all;
      assert.ok(here > 0 && here < all, `the main thread evaluated ${here} of ${all}`);
    });
  }

  it('check fails when a thread fails, and does not wait for the thread', async () => {
    const evaluator = new ManifestEvaluator({ context: builder.build(options, () => {}), namespace: 'default' });
    const pool = new EvaluationThreads(2, 1);
    try {
      pool.begin({} as EvaluationInput);
      await assert.rejects(pool.evaluate(pieces([]), evaluator, recordedCalls([])), TypeError);
    } finally {
      await pool.end();
    }
  });

  it('check in threads prints the same for a long stream as check prints for the parts of the stream', () => {
    const text = Array.from({ length: 12_000 }, (_, at) => `# ${'-'.repeat(400)}\n${pod(at)}---\n`);
    assert.ok(text.join('').length > 5 * MIB);
    const check = (input: string) => {
      const args = [CLI, 'check', '-f', '-', '--level', 'restricted', '-o', 'json'];
      const { stdout, stderr } = spawnSync(process.execPath, args, { input, encoding: 'utf8', maxBuffer: 2 ** 30 });
      assert.equal(stderr, '');
      // Line numbers count from the beginning of each stream. Line numbers in the joined stream are therefore
      // different.
      return JSON.parse(stdout, (key, value) => (key === 'line' ? null : value)).items as object[];
    };
    const [first, second] = [text.slice(0, 6000), text.slice(6000)];
    const parts = [...check(first.join('')), ...check(second.join(''))];
    // Formatting an assertion message about thousands of differences would take minutes.
    assert.ok(isDeepStrictEqual(check(text.join('')), parts));
  });

  function pieces(calls: ResultCall[]) {
    const { signal } = new AbortController();
    const files = manifestFiles(['many', 'stream.yaml'], { cwd: folder }, fail);
    return piecesOf(files, { stdin: process.stdin, cwd: folder, signal }, recordedCalls(calls).trouble);
  }
});

class CountingEvaluator extends ManifestEvaluator {
  evaluated = 0;

  override evaluate(manifest: InputObject): Evaluated {
    this.evaluated += 1;
    return super.evaluate(manifest);
  }
}

const SUBJECTS = [{ kind: 'ServiceAccount', namespace: 'default', name: 'pinger' }];

function policy(name: string, team: string, spec: object) {
  const object = { apiVersion: 'capabilitypolicy.dev/v1alpha1', kind: 'CapabilityPolicy', metadata: { name } };
  return {
    ...object,
    spec: { namespaceSelector: { matchLabels: { team } }, level: 'restricted', mode: 'Enforce', ...spec },
  };
}

function fail({ message }: Trouble): never {
  assert.fail(message);
}

function inputOf(object: RawObject) {
  return { object, file: 'policy.yaml', line: 1, lineOf: () => 1, textOf: () => undefined } as never;
}

function pod(index: number): string {
  const added = index % 3 === 0 ? ', securityContext: {capabilities: {add: [NET_RAW]}}' : '';
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: pod-${index}, namespace: ns-${index % 7}}\nspec:\n  containers:\n    - {name: app, image: "registry.example.com/app:${index}"${added}}\n`;
}

/**
 * A document of the stream. Some documents make pods. The remaining documents have results of other kinds, such as an
 * error.
 */
function document(index: number): string {
  const forms = [
    pod(index).replace(/ns-\d/, index % 2 === 0 ? 'default' : 'kube-system'),
    'apiVersion: v1\nkind: Service\nmetadata: {name: web}\n',
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web-${index}}\nspec: {template: {spec: {serviceAccountName: pinger, containers: [{name: a, image: a, securityContext: {previleged: true}}]}}}\n`,
    'services: {web: {image: web}}\n',
    'apiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {containers: [{name: a, image: 7}]}\n',
    'apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: k8s}\nspec: {replicas: 2}\n',
    'a: [\n',
    `apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Pod\n    metadata: {name: in-list-${index}, namespace: shop}\n    spec: {containers: [{name: a, image: a}]}\n`,
  ];
  return forms[index % forms.length] as string;
}
