import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { findBinaries } from '../../hack/controlplane/binaries.ts';
import { CHECKSUM } from '../../hack/controlplane/moved-packages.ts';

/** A script that creates the programs with the names that `go build -o <folder>/` would give. */
const SUCCEEDS = `
  while [ "$1" != -o ]; do shift; done
  for name in server kube-apiserver kube-controller-manager kubectl; do echo "$name" > "$2$name"; done`;

/** The files that SUCCEEDS creates for a version other than the default version. */
const BUILT = ['kube-apiserver', 'kube-controller-manager', 'kubectl', 'server'];

describe('the programs of the control plane', () => {
  let empty: string;

  beforeEach(() => {
    empty = mkdtempSync(join(tmpdir(), 'capabilitypolicy-binaries-'));
  });

  afterEach(() => {
    rmSync(empty, { recursive: true });
  });

  it('without Go and assets, the error says how to get Go or the assets, and how to use an existing cluster', async () => {
    await assert.rejects(findBinaries({ PATH: empty, XDG_CACHE_HOME: empty }), ({ message }: Error) => {
      assert.match(message, /there is no Go/);
      assert.match(message, /https:\/\/go\.dev\/dl\//);
      assert.match(message, /KUBEBUILDER_ASSETS.*setup-envtest@latest use 1\.\d+ -p/s);
      assert.match(message, /kube-controller-manager from https/);
      assert.match(message, /npm run demo -- --use-kubeconfig/);
      return true;
    });
  });

  it('the error calls a version of Go too old if the version cannot fetch a newer Go', async () => {
    writeFileSync(join(empty, 'go'), '#!/bin/sh\necho go version go1.20.4 linux/amd64\n', { mode: 0o755 });
    await assert.rejects(findBinaries(environment()), /go1\.20\.4 is too old/);
  });

  it('a failed build shows the output of Go, and leaves no files behind', async () => {
    writeGo('echo no space left >&2; exit 1');
    await assert.rejects(findBinaries(environment()), /no space left/);
    assert.deepEqual(readdirSync(join(empty, 'capabilitypolicy', 'controlplane')), []);
  });

  it('two concurrent callers share one build, and etcd gets its own name', async () => {
    writeGo(`echo built >> '${empty}/builds'; sleep 1; ${SUCCEEDS}`);
    const [first, second] = await Promise.all([findBinaries(environment()), findBinaries(environment())]);
    assert.equal(first.dir, second.dir);
    assert.equal(readFileSync(first.etcd, 'utf8'), 'server\n');
    assert.equal(readFileSync(join(empty, 'builds'), 'utf8'), 'built\n');
    assert.deepEqual(await findBinaries({ XDG_CACHE_HOME: empty, PATH: '' }), first);
  });

  it('a new build replaces a killed build, and removes the files of the killed build', async () => {
    writeGo('kill -9 $PPID');
    const source = "await (await import('../../hack/controlplane/binaries.ts')).findBinaries();";
    const args = ['--input-type=module', '-e', source];
    const killed = spawnSync(process.execPath, args, { cwd: import.meta.dirname, env: environment() });
    assert.equal(killed.signal, 'SIGKILL');

    writeGo(SUCCEEDS);
    const { dir } = await findBinaries(environment());
    assert.deepEqual(readdirSync(join(dir, '..')), [basename(dir)]);
  });

  it('KUBEBUILDER_ASSETS wins', async () => {
    for (const name of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl']) {
      writeFileSync(join(empty, name), '');
    }
    const { dir, apiServer } = await findBinaries({ KUBEBUILDER_ASSETS: empty });
    assert.equal(dir, empty);
    assert.equal(apiServer, join(empty, 'kube-apiserver'));
  });

  it('an error says where to get kube-controller-manager, because setup-envtest does not put this program into KUBEBUILDER_ASSETS', async () => {
    for (const name of ['etcd', 'kube-apiserver', 'kubectl']) {
      writeFileSync(join(empty, name), '');
    }
    await assert.rejects(
      findBinaries({ KUBEBUILDER_ASSETS: empty }),
      /lacks kube-controller-manager\..*https:\/\/dl\.k8s\.io\//s,
    );
  });

  describe('a version with imports that module proxies do not serve', () => {
    const go = (sum: string) => `
      if [ "$1" = mod ]; then echo '{"Dir": "${empty}/source", "Sum": "${sum}"}'; exit; fi
      [ -d apiextensions-api ] && cp -r . '${empty}/built' && echo "$GOTOOLCHAIN" > '${empty}/toolchain'
      ${SUCCEEDS}`;
    const types = join('pkg', 'apis', 'apiextensions', 'v1');

    beforeEach(() => {
      const files = {
        [join(types, 'types.go')]: 'import "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"',
        [join(types, 'marshal.go')]: 'package v1',
        [join(types, 'conversion.go')]: '',
        [join(types, 'types_test.go')]: '',
        [join('pkg', 'apis', 'apiextensions', 'v1beta1', 'marshal.go')]: 'package v1beta1',
        [join('pkg', 'client', 'a', 'b.go')]: '',
        [join('pkg', 'server', 'c.go')]: '',
      };
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(join(empty, 'source', path, '..'), { recursive: true });
        writeFileSync(join(empty, 'source', path), content);
      }
    });

    it('the build copies the imported packages next to the module, uses the Go of the module, and leaves no copy behind', async () => {
      writeGo(go(CHECKSUM));
      const { apiServer } = await findBinaries({ ...environment(), KUBERNETES_VERSION: '1.38' });
      assert.deepEqual(readdirSync(join(apiServer, '..')).sort(), BUILT);
      const written = readdirSync(join(empty, 'built'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => relative(join(empty, 'built'), join(parentPath, name)));
      assert.deepEqual(written.sort(), [
        'apiextensions-api/go.mod',
        'apiextensions-api/pkg/apis/apiextensions/v1/marshal.go',
        'apiextensions-api/pkg/apis/apiextensions/v1/types.go',
        'apiextensions-api/pkg/apis/apiextensions/v1beta1/marshal.go',
        'apiextensions-api/pkg/client/a/b.go',
        'go.mod',
        'go.sum',
      ]);
      const read = (path: string) => readFileSync(join(empty, 'built', 'apiextensions-api', path), 'utf8');
      assert.equal(read(join(types, 'types.go')), 'import "k8s.io/apiextensions-api/pkg/apis/apiextensions/v1"');
      assert.match(read('go.mod'), /^module k8s\.io\/apiextensions-api\n\ngo 1\.\d+/);
      assert.match(readFileSync(join(empty, 'toolchain'), 'utf8'), /^go1\.\d+\.\d+\n$/);
    });

    it('the build fails if the imported packages have another checksum', async () => {
      writeGo(go('h1:other'));
      const built = findBinaries({ ...environment(), KUBERNETES_VERSION: '1.38' });
      await assert.rejects(built, /apiextensions-apiserver@v\S+ has the checksum h1:other, not h1:/);
    });
  });

  function environment(): NodeJS.ProcessEnv {
    return { PATH: `${empty}:${process.env.PATH}`, XDG_CACHE_HOME: empty };
  }

  /** Writes a program `go`. The command `go build` of this program runs `script`. */
  function writeGo(script: string): void {
    const answer = '[ "$1" = version ] && echo go version go1.26.0 linux/amd64 && exit';
    writeFileSync(join(empty, 'go'), `#!/bin/sh\n${answer}\n${script}\n`, { mode: 0o755 });
  }
});
