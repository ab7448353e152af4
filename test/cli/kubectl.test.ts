/** Tests that cappol and kubectl read equal objects with equal values from manifests. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { readManifests } from '../../cli/input/manifests.ts';
import type { ControlPlane } from '../../hack/controlplane/controlplane.ts';
import { sharedControlPlane } from '../support/control-plane.ts';
import { mergedMappings } from './merged-mappings.ts';

/**
 * A stream with anchors for merge keys, followed by a pod. The only container of the pod has the given
 * `securityContext` in flow style.
 */
const merging = (securityContext: string) => `apiVersion: v1
kind: Pod
metadata:
  name: merging
  annotations: {open: &name open}
x-open: &open {privileged: true, runAsUser: 0}
x-closed: &closed {privileged: false, runAsNonRoot: true}
spec: {containers: [{name: a, image: a, securityContext: ${securityContext}}]}
`;

const MERGES = [
  '{privileged: false, <<: *open}',
  '{<<: *open, privileged: false}',
  '{privileged: false, <<: *open, runAsUser: 7}',
  '{<<: *open, <<: *closed}',
  '{<<: *closed, <<: *open}',
  '{<<: [*closed, *open]}',
  '{<<: [*open, *closed]}',
  '{runAsUser: 1, <<: [*open, {runAsUser: 2, privileged: false}], runAsNonRoot: false}',
  '{<<: {privileged: true}, privileged: false}',
  '{privileged: false, <<: {<<: *open, runAsUser: 5}}',
  '{privileged: false, "<<": {privileged: true}}',
  "{privileged: false, '<<': {privileged: true}}",
  '{privileged: true, << : *closed}',
  '{capabilities: {drop: [ALL]}, <<: {capabilities: {add: [SYS_ADMIN]}}}',
];

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n';
const POD = '{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: a}]}}';
const UNTYPED = '{metadata: {name: b}, spec: {containers: [{name: b, image: b}]}}';

/**
 * Streams of objects of several kinds with a field `items`. Each stream has the names of the objects that kubectl
 * sends.
 */
const ITEMS: readonly (readonly [text: string, names: readonly string[]])[] = [
  [`${CONFIG_MAP}items: [${POD}]\n`, ['a']],
  [`${CONFIG_MAP}items: [${POD}, ${POD.replaceAll('name: a', 'name: c')}]\ndata: {a: b}\n`, ['a', 'c']],
  [`apiVersion: v1\nkind: List\nitems: [${POD}]\n`, ['a']],
  [`apiVersion: v1\nkind: PodList\nitems: [${POD}, ${UNTYPED}]\n`, ['a', 'b']],
  [`apiVersion: v1\nkind: Pod\nitems: [${UNTYPED}]\n`, ['b']],
  [`apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: full}\nitems: [${POD}]\n`, ['a']],
  [`${CONFIG_MAP}items: []\n`, []],
  [`${CONFIG_MAP}items: ~\n`, []],
];

describe('cappol and kubectl', function () {
  this.timeout(120_000);
  let controlPlane: ControlPlane;
  let folder: string;

  before(async () => {
    controlPlane = await sharedControlPlane();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kubectl-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  interface Sent {
    readonly kind: string;
    readonly metadata: { readonly name: string };
    readonly [field: string]: unknown;
  }

  /** The objects that kubectl would send to an API server. */
  async function sent(args: readonly string[], stdin?: string): Promise<{ objects: Sent[]; stderr: string }> {
    const flags = ['create', '--dry-run=client', '-o', 'json', '--validate=false'];
    const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
      const all = ['--kubeconfig', controlPlane.kubeconfig, ...flags, ...args];
      const child = execFile(controlPlane.kubectl, all, { cwd: folder, maxBuffer: 2 ** 28 }, (_, out, err) =>
        resolve({ stdout: out, stderr: err }),
      );
      child.stdin?.end(stdin);
    });
    const objects = stdout.split(/^(?=\{$)/m).filter((text) => text.trim() !== '');
    return { objects: objects.map((text) => JSON.parse(text)), stderr };
  }

  async function read(paths: readonly string[], stdin = '') {
    const objects: Sent[] = [];
    const troubles: string[] = [];
    const io = { stdin: Readable.from([stdin]), cwd: folder, signal: new AbortController().signal };
    const tell = ({ message }: { message: string }) => void troubles.push(message);
    for await (const { object } of readManifests(paths, io, { tell })) objects.push(object as Sent);
    return { objects, troubles };
  }

  const specsOf = (objects: readonly Sent[]) => objects.map(({ spec }) => spec);

  for (const securityContext of MERGES) {
    it(`read the merge keys of ${securityContext} alike`, async () => {
      const text = merging(securityContext);
      const { objects, stderr } = await sent(['-f', '-'], text);
      assert.equal(objects.length, 1, stderr);
      const own = await read(['-'], text);
      assert.deepEqual([specsOf(own.objects), own.troubles], [specsOf(objects), []]);
    });
  }

  it('read random mappings with merge keys alike', async () => {
    const bodies = mergedMappings(300);
    const pods = bodies.map(
      (body, index) =>
        `apiVersion: v1\nkind: Pod\nmetadata: {name: pod-${index}}\nspec:\n${body.replace(/^/gm, '  ')}\n`,
    );
    const text = pods.join('---\n');
    const { objects, stderr } = await sent(['-f', '-'], text);
    assert.equal(objects.length, bodies.length, stderr);
    const own = await read(['-'], text);
    assert.deepEqual(own.troubles, []);
    for (const [index, { spec }] of objects.entries()) {
      assert.deepEqual(own.objects[index]?.spec, spec, bodies[index]);
    }
  });

  it('cappol and kubectl refuse a merge key whose value is not a mapping', async () => {
    for (const value of ['1', '~', '[1]', 'text', '[[]]']) {
      const text = merging(`{<<: ${value}}`);
      assert.deepEqual((await sent(['-f', '-'], text)).objects, [], value);
      assert.equal((await read(['-'], text)).troubles.length, 1, value);
    }
  });

  for (const [text, names] of ITEMS) {
    it(`read the items of ${text.replaceAll('\n', ' ').slice(0, 90)}`, async () => {
      const { objects } = await sent(['-f', '-'], text);
      const own = await read(['-'], text);
      assert.deepEqual(
        objects.map(({ metadata }) => metadata.name),
        names,
      );
      for (const { kind, metadata } of objects) {
        const isRead = own.objects.some((one) => one.kind === kind && one.metadata?.name === metadata.name);
        assert.ok(isRead, `${kind} ${metadata.name}: ${JSON.stringify(own.troubles)}`);
      }
    });
  }

  it('cappol and kubectl read the same files of a folder, including hidden files', async () => {
    const names = ['a.yaml', '.hidden.yaml', '.hidden/b.yaml', '.git/c.yaml', 'd/.e/f.json', '.github/workflows/g.yml'];
    for (const [index, name] of names.entries()) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(
        join(folder, name),
        JSON.stringify({ ...JSON.parse(JSON_POD), metadata: { name: `pod-${index}` } }),
      );
    }
    const { objects } = await sent(['-R', '-f', '.']);
    assert.equal(objects.length, names.length);
    const own = await read(['.']);
    const namesOf = (all: readonly Sent[]) => all.map(({ metadata }) => metadata.name).sort();
    assert.deepEqual(namesOf(own.objects), namesOf(objects));
  });
});

const JSON_POD = '{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a", "image": "a"}]}}';
