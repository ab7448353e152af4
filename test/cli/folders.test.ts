/**
 * Tests that `cappol check -f FOLDER` skips and counts documents that are no Kubernetes objects. If -f names a file,
 * documents in the file that are no Kubernetes objects are errors.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cappol } from '../support/cappol.ts';

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n';

/**
 * Files with their texts. The third value is the type under which cappol counts the documents in the file. If cappol
 * reports the documents as errors even in a folder, the third value is undefined.
 */
const FILES: readonly (readonly [name: string, text: string, what: string | undefined])[] = [
  ['chart/values.yaml', 'image: {tag: 1}\nkind: DaemonSet\n', 'Helm values'],
  ['chart/ci/prod-values.yml', 'replicas: 2\n', 'Helm values'],
  ['chart/Chart.yaml', 'apiVersion: v2\nname: chart\nversion: 1.0.0\n', 'Helm chart'],
  ['chart/templates/name.yaml', POD.replace('name: a', 'name: {{ .Values.name }}'), 'Helm template'],
  ['chart/templates/if.yaml', `{{- if .Values.on }}\n${POD}{{- end }}\n`, 'Helm template'],
  ['chart/templates/comment.yaml', `{{- /*\nof several lines\n*/ -}}\n${POD}`, 'Helm template'],
  ['chart/templates/include.yaml', '{{ include "all" . }}\n', 'Helm template'],
  ['kustomization.yaml', 'resources: [a.yaml]\n', 'kustomization'],
  [
    'component.yaml',
    'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [a.yaml]\n',
    'kustomization',
  ],
  ['docker-compose.yml', 'version: "3"\nservices: {web: {image: web, privileged: true}}\n', 'Docker Compose file'],
  ['ci/build.yaml', 'name: build\non: push\njobs: {build: {runs-on: ubuntu-latest}}\n', 'GitHub workflow'],
  ['package.json', '{"name": "a", "scripts": {}}\n', 'other document'],
  ['tsconfig.json', '{\n  // with a comment\n  "strict": true\n}\n', 'other document'],
  ['list.yaml', '- a\n- b\n', 'other document'],
  ['text.yaml', 'just a text\n', 'other document'],
  ['no-version.yaml', POD.replace('apiVersion: v1\n', ''), undefined],
  ['no-kind.yaml', POD.replace('kind: Pod\n', ''), undefined],
  ['broken.yaml', `${POD}a: [\n`, undefined],
  ['broken.json', '{"apiVersion": "v1", "kind": "Pod",\n', undefined],
];

describe('check -f of a folder', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'folders-'));
    write('good.yaml', POD);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(name: string, text: string): void {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }

  async function check(path: string) {
    const { code, stdout, stderr } = await cappol(
      ['check', '-f', path, '--level', 'privileged', '-o', 'json'],
      '',
      folder,
    );
    return { code, stderr, summary: JSON.parse(stdout).summary };
  }

  for (const [name, text, what] of FILES) {
    it(`${what === undefined ? 'reports' : `skips ${what}:`} ${name}`, async () => {
      write(name, text);
      const { code, stderr, summary } = await check('.');
      assert.equal(summary.items, 1);
      if (what === undefined) {
        assert.equal(code, 2);
        assert.match(stderr, new RegExp(`^cappol: ${name}:\\d+: `));
      } else {
        assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
        assert.deepEqual(summary.notKubernetes, [{ what, count: 1 }]);
      }
    });
  }

  for (const [name, text] of FILES.filter(([, , what]) => what !== undefined && what !== 'kustomization')) {
    it(`reports ${name} when it is named`, async () => {
      write(name, text);
      const { code, stderr } = await check(name);
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`^cappol: ${name}:\\d+: `));
    });
  }

  it('check also evaluates the objects of a file that contains other documents', async () => {
    write('mixed.yaml', `replicas: 2\n---\n${POD}---\nname: {{ .Values.name }}\n`);
    const { code, summary } = await check('.');
    assert.deepEqual([code, summary.items], [0, 2]);
    assert.deepEqual(summary.notKubernetes, [
      { what: 'Helm template', count: 1 },
      { what: 'other document', count: 1 },
    ]);
  });

  it('check skips no object that kubectl would apply, for any name or quoting of the object', async () => {
    write('values.yaml', POD);
    write('chart/Chart.yaml', POD);
    write('docker-compose.yml', `${POD}services: {}\njobs: {}\non: push\n`);
    write('quoted.yaml', `# {{ .Values.name }}\n${POD.replace('image: a', 'image: "{{ .Values.image }}"')}`);
    write('sub/kustomization.yaml', POD);
    const { summary } = await check('.');
    assert.deepEqual([summary.items, summary.notKubernetes], [6, []]);
  });

  it('check says what was skipped, and how to render a chart', async () => {
    for (const [name, text, what] of FILES) if (what !== undefined) write(name, text);
    const { code, stdout } = await cappol(['check', '-f', '.', '--level', 'privileged'], '', folder);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^skipped 15 documents, no Kubernetes objects: Docker Compose file 1, GitHub workflow 1, Helm chart 1, Helm template 4, Helm values 2, kustomization 2, other document 4; `helm template` renders a chart$/m,
    );
  });

  for (const command of ['explain', 'suggest']) {
    it(`is no error for ${command} either, which counts skipped documents`, async () => {
      write('chart/values.yaml', 'a: 1\n');
      const { code, stderr } = await cappol([command, '-f', '.'], '', folder);
      assert.equal(code, 0);
      assert.equal(stderr, 'cappol: skipped 1 document, no Kubernetes objects: Helm values 1\n');
    });
  }

  it('check fails when the folder contains no Kubernetes object', async () => {
    rmSync(join(folder, 'good.yaml'));
    write('values.yaml', 'a: 1\n');
    const { code, stderr } = await check('.');
    assert.deepEqual({ code, stderr }, { code: 2, stderr: 'cappol: .: no Kubernetes object in it\n' });
  });
});
