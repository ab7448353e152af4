/**
 * Tests reading files, folders and standard input. Each object must be read once. Each problem is reported in one clear
 * line.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { troubleText } from '../../analysis/manifests/trouble.ts';
import { readManifests } from '../../cli/input/manifests.ts';

interface Read {
  /** The kind and the name of each object, such as `Pod one`, in the order of reading. */
  readonly objects: readonly string[];
  readonly troubles: readonly string[];
}

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: one}\n';

/** Runs the work as the user nobody, because root can read every file. */
async function asNobody<Result>(work: () => Promise<Result>): Promise<Result> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

describe('reading manifests', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'manifests-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function read(paths: readonly string[], stdin: Iterable<string | Uint8Array> = []): Promise<Read> {
    const objects: string[] = [];
    const troubles: string[] = [];
    const io = { stdin: Readable.from(stdin), cwd: folder, signal: new AbortController().signal };
    for await (const { object } of readManifests(paths, io, { tell: (one) => troubles.push(troubleText(one)) })) {
      objects.push(`${object.kind} ${object.metadata?.name}`);
    }
    return { objects, troubles };
  }

  function write(name: string, text: string | Uint8Array): void {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }

  it('the reader walks folders in the order of names, and leaves out files that are not manifests', async () => {
    write('b/2.yml', POD.replace('one', 'two'));
    write('a.yaml', POD);
    write('c.json', JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'three' } }));
    write('kustomization.yaml', 'resources: [a.yaml]');
    write('README.md', 'no manifest');
    assert.deepEqual(await read(['.']), { objects: ['Pod one', 'Pod two', 'Pod three'], troubles: [] });
  });

  it('the reader reads hidden folders and files, like kubectl apply -R', async () => {
    const names = ['.a/b/c.yaml', '.git/d.yaml', '.e.yaml', 'f/.g.json', '.github/.h/i.yml'];
    for (const [index, name] of names.entries()) write(name, POD.replace('one', `pod-${index}`));
    symlinkSync('../.a/b/c.yaml', join(folder, 'f', '.linked.yaml'));
    symlinkSync('.a', join(folder, '.other'));
    const { objects, troubles } = await read(['.']);
    assert.deepEqual(objects.toSorted(), [
      'Pod pod-0',
      'Pod pod-0',
      'Pod pod-0',
      ...[1, 2, 3, 4].map((i) => `Pod pod-${i}`),
    ]);
    assert.deepEqual(troubles, []);
  });

  it('the reader leaves out lock files of editors, and broken links that kubectl does not read', async () => {
    write('.venv/a.yaml', POD);
    symlinkSync('somebody@host.1:2', join(folder, '.#a.yaml'));
    symlinkSync('nothing', join(folder, '.venv', 'python'));
    symlinkSync('nothing', join(folder, 'python'));
    assert.deepEqual(await read(['.']), { objects: ['Pod one'], troubles: [] });
  });

  it('the reader reads standard input, several documents, and Lists in Lists', async () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: 'v1', kind: 'PodList', items: [{ metadata: { name: 'two' } }] }],
    };
    const { objects, troubles } = await read(
      ['-'],
      [`${POD}---\n`, JSON.stringify(list), '\n---\n# nothing\n---\nnull\n'],
    );
    assert.deepEqual({ objects, troubles }, { objects: ['Pod one', 'Pod two'], troubles: [] });
  });

  const named = (name: string) => `{apiVersion: v1, kind: Pod, metadata: {name: ${name}}}`;

  /**
   * Texts with objects that have a list of items. The program kubectl treats an object with a list of items as a list,
   * as test/cli/kubectl.test.ts shows.
   */
  const WITH_ITEMS: readonly (readonly [text: string, objects: readonly string[]])[] = [
    [`kind: ConfigMap\nmetadata: {name: map}\nitems: [${named('one')}]\n`, ['ConfigMap map', 'Pod one']],
    [`kind: Pod\nmetadata: {name: own}\nitems: [${named('one')}]\n`, ['Pod own', 'Pod one']],
    ['kind: Pod\nmetadata: {name: own}\nitems: [{metadata: {name: one}}]\n', ['Pod own', 'Pod one']],
    [
      `kind: List\nitems: [{apiVersion: v1, kind: Secret, items: [${named('one')}]}]\n`,
      ['Secret undefined', 'Pod one'],
    ],
    ['kind: Pod\nmetadata: {name: own}\nitems: [text]\n', ['Pod own']],
    ['kind: Pod\nmetadata: {name: own}\nitems: {a: {}}\n', ['Pod own']],
    ['kind: Pod\nmetadata: {name: own}\nitems: ~\n', ['Pod own']],
    ['kind: Pod\nmetadata: {name: own}\nitems: []\n', ['Pod own']],
    ['kind: AllowList\nmetadata: {name: own}\nspec: {}\n', ['AllowList own']],
  ];

  for (const [text, objects] of WITH_ITEMS) {
    it(`reads the items of ${text.replaceAll('\n', ' ')}`, async () => {
      assert.deepEqual(await read(['-'], [`apiVersion: v1\n${text}`]), { objects, troubles: [] });
    });
  }

  it('the reader reports an object without a kind once, even if the object has items', async () => {
    const { objects, troubles } = await read(['-'], ['items: [{a: 1}, {b: 1}]\n']);
    assert.deepEqual([objects, troubles.length], [[], 1]);
  });

  it('the reader and kubectl report a list item with a kind but without an apiVersion, if the list is typed', async () => {
    const { objects, troubles } = await read(['-'], ['apiVersion: v1\nkind: PodList\nitems: [{kind: Pod}]\n']);
    assert.deepEqual([objects, troubles.length], [[], 1]);
  });

  it('reads a pipe', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const reading = read(['pipe']);
    execFileSync('sh', ['-c', `printf '${POD.replaceAll('\n', '\\n')}' > pipe`], { cwd: folder });
    assert.deepEqual(await reading, { objects: ['Pod one'], troubles: [] });
  });

  const BROKEN: readonly (readonly [what: string, text: string | Uint8Array, told: RegExp])[] = [
    ['no YAML', `${POD}---\na: [\n`, /^bad\.yaml:6: not YAML: /],
    [
      'a Helm template',
      `# x\nkind: {{ .Values.kind }}\n---\n${POD}`,
      /^bad\.yaml:2: a Helm template and not YAML: render the template first/,
    ],
    ['no mapping', '- a\n- b\n', /^bad\.yaml:1: not a Kubernetes object: a mapping with apiVersion and kind is needed/],
    ['no kind', '\n\napiVersion: v1\n', /^bad\.yaml:3: not a Kubernetes object: the field "kind" is missing/],
    ['no apiVersion', 'kind: Pod\n', /^bad\.yaml:1: not a Kubernetes object: Pod has no apiVersion/],
    [
      'metadata that is not an object',
      'kind: Pod\napiVersion: v1\nmetadata: [a]\n',
      /^bad\.yaml:1: Pod: metadata is not a mapping/,
    ],
    ['a key twice', `${POD}kind: Pod\n`, /^bad\.yaml:4: not YAML: the key kind occurs twice/],
    ['no UTF-8', new Uint8Array([0x61, 0x3a, 0x20, 0xff]), /^bad\.yaml: not UTF-8 text/],
    ['UTF-16', new Uint8Array([0xff, 0xfe, 0x61, 0]), /^bad\.yaml: not UTF-8 text/],
  ];

  for (const [what, text, told] of BROKEN) {
    it(`reports ${what} in one line, and reads the rest`, async () => {
      write('bad.yaml', text);
      write('good.yaml', POD.replace('one', 'good'));
      const { objects, troubles } = await read(['bad.yaml', 'good.yaml']);
      assert.ok(objects.includes('Pod good'));
      assert.equal(troubles.length, 1);
      assert.match(troubles[0] ?? '', told);
      assert.doesNotMatch(troubles[0] ?? '', /\n/);
    });
  }

  it('the reader reports a link to a parent folder, and broken links', async () => {
    write('a/good.yaml', POD);
    symlinkSync('..', join(folder, 'a', 'loop'));
    symlinkSync('nothing', join(folder, 'dangling.yaml'));
    symlinkSync('self.yaml', join(folder, 'self.yaml'));
    const { objects, troubles } = await read(['.', 'missing.yaml']);
    assert.deepEqual(objects, ['Pod one']);
    const expected = [
      /^a\/loop: a link back to .*: left out$/,
      /^dangling\.yaml: no such file or folder$/,
      /^self\.yaml: a link that leads back to itself$/,
      /^missing\.yaml: no such file or folder$/,
    ];
    assert.equal(troubles.length, expected.length, troubles.join('\n'));
    for (const [index, pattern] of expected.entries()) assert.match(troubles[index] ?? '', pattern);
  });

  it('the reader reports files without read permission, and reads the other files', async () => {
    write('open.yaml', POD);
    write('locked.yaml', POD);
    mkdirSync(join(folder, 'locked'));
    chmodSync(folder, 0o755);
    for (const name of ['locked', 'locked.yaml']) chmodSync(join(folder, name), 0);
    const { objects, troubles } = await asNobody(() => read(['.']));
    assert.deepEqual(objects, ['Pod one']);
    assert.deepEqual(troubles, [
      'locked: no permission to read the file or folder',
      'locked.yaml: no permission to read the file or folder',
    ]);
  });

  it('the reader skips a line of 200 MB without keeping the line in memory', async () => {
    function* stream() {
      yield `${POD}---\na: "`;
      const megabyte = new Uint8Array(1_000_000).fill(0x78);
      for (let count = 0; count < 200; count += 1) yield megabyte;
      yield `"\n---\n${POD.replace('one', 'two')}`;
    }
    const { objects, troubles } = await read(['-'], stream());
    assert.deepEqual(objects, ['Pod one', 'Pod two']);
    assert.deepEqual(troubles, [
      'standard input:4: larger than 32 MiB, and not a list as kubectl writes it: no Kubernetes object is that large',
    ]);
  });
});
