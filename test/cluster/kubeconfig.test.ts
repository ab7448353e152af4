import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { impersonationHeaders } from '../../operator/cluster/impersonation.ts';
import { loadKubeConfig } from '../../operator/cluster/kubeconfig.ts';

const TWO = {
  clusters: ['a', 'b'].map((name) => ({ name, cluster: { server: `https://${name}` } })),
  users: [{ name: 'me', user: {} }],
  contexts: ['a', 'b'].map((name) => ({ name, context: { cluster: name, user: 'me' } })),
  'current-context': 'a',
};

describe('the kubeconfig', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
  after(() => rmSync(folder, { recursive: true }));

  const fileOf = (text: string) => {
    const file = join(folder, 'config');
    writeFileSync(file, text);
    return file;
  };
  const message = (options: Parameters<typeof loadKubeConfig>[0]) => {
    try {
      loadKubeConfig(options);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };

  it('the kubeconfig gives the current context, or the requested context', () => {
    const kubeconfig = fileOf(JSON.stringify(TWO));
    assert.equal(loadKubeConfig({ kubeconfig }).getCurrentCluster()?.server, 'https://a');
    assert.equal(loadKubeConfig({ kubeconfig, context: 'b' }).getCurrentCluster()?.server, 'https://b');
  });

  it('an unknown context is an error of one line that names the existing contexts', () => {
    const kubeconfig = fileOf(JSON.stringify(TWO));
    assert.equal(message({ kubeconfig, context: 'c' }), 'no context "c" in the kubeconfig: it has a, b');
  });

  it('a file that is missing, or is not YAML, is an error of one line', () => {
    const missing = join(folder, 'missing');
    assert.equal(message({ kubeconfig: missing }), `kubeconfig: ${missing} does not exist`);
    assert.equal(message({ kubeconfig: folder }), `kubeconfig: ${folder} is a folder`);
    assert.match(message({ kubeconfig: fileOf('a: [') }) ?? '', /^kubeconfig: .*$/);
  });

  describe('of KUBECONFIG', () => {
    const content = (name: string, server = `https://${name}`, more: object = {}) => ({
      clusters: [{ name, cluster: { server } }],
      users: [{ name, user: { token: `token of ${name}` } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      ...more,
    });
    const written = (name: string, value: object | string) => {
      const file = join(folder, name);
      writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
      return file;
    };
    const load = (...files: string[]) => loadKubeConfig({}, { KUBECONFIG: files.join(delimiter), HOME: folder });
    const missing = join(folder, 'missing');

    it('files of KUBECONFIG that do not exist are skipped, in any position of the list', () => {
      const [a, b] = [written('a', content('a', undefined, { 'current-context': 'a' })), written('b', content('b'))];
      for (const files of [
        [missing, a, b],
        [a, missing, b],
        [a, b, missing],
        ['', a, '', b],
      ]) {
        const config = load(...files);
        assert.equal(config.getCurrentCluster()?.server, 'https://a');
        assert.deepEqual(
          config.getContexts().map(({ name }) => name),
          ['a', 'b'],
        );
      }
    });

    it('if several files have an entry with the same name or a current-context, the first file counts', () => {
      const a = written('a', content('same', 'https://first'));
      const b = written('b', content('same', 'https://second', { 'current-context': 'same' }));
      const c = written('c', content('c', undefined, { 'current-context': 'c' }));
      const config = load(a, b, c, a);
      assert.equal(config.getCurrentCluster()?.server, 'https://first');
      assert.equal(config.getUsers().length, 2);
    });

    it('may contain empty files', () => {
      const a = written('a', content('a', undefined, { 'current-context': 'a' }));
      for (const empty of ['', '# nothing\n', '---\n', '{}']) {
        assert.equal(load(written('empty', empty), a).getCurrentCluster()?.server, 'https://a');
      }
    });

    it('an error of one line says that no file of KUBECONFIG names a cluster', () => {
      assert.throws(
        () => load(missing),
        new RegExp(`^Error: no cluster: set KUBECONFIG .* \\(no cluster in ${missing}\\)$`),
      );
    });

    it('names the file that is wrong', () => {
      const wrong = written('wrong', 'a: [');
      assert.throws(() => load(missing, wrong), new RegExp(`^Error: kubeconfig: ${wrong}: [^\n]*$`));
    });

    it('is ~/.kube/config by default', () => {
      mkdirSync(join(folder, '.kube'), { recursive: true });
      writeFileSync(
        join(folder, '.kube', 'config'),
        JSON.stringify(content('home', undefined, { 'current-context': 'home' })),
      );
      assert.equal(loadKubeConfig({}, { HOME: folder }).getCurrentCluster()?.server, 'https://home');
      rmSync(join(folder, '.kube'), { recursive: true });
    });
  });

  describe('with credentials', () => {
    const user = (fields: object, cluster: object = {}) => {
      const config = {
        clusters: [{ name: 'c', cluster: { server: 'https://c', ...cluster } }],
        users: [{ name: 'u', user: fields }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      };
      return loadKubeConfig({ kubeconfig: fileOf(JSON.stringify(config)) });
    };

    it('the kubeconfig prefers inline data to file names, and looks up relative file names in its own folder', () => {
      const both = { 'client-certificate': 'c.pem', 'client-certificate-data': 'Yw==', 'client-key': 'k.pem' };
      const config = user(both, { 'certificate-authority': 'ca.pem', 'certificate-authority-data': 'YQ==' });
      const { certData, certFile, keyFile } = config.getCurrentUser() ?? {};
      assert.deepEqual([certData, certFile, keyFile], ['Yw==', undefined, join(folder, 'k.pem')]);
      assert.equal(config.getCurrentCluster()?.caFile, undefined);
    });

    it('prefers tokenFile to token', async () => {
      writeFileSync(join(folder, 'token'), 'from the file');
      const options: { headers?: Record<string, string> } = {};
      await user({ token: 'stale', tokenFile: 'token' }).applyToHTTPSOptions(options);
      assert.equal(options.headers?.Authorization, 'Bearer from the file');
    });

    it('the kubeconfig reads all fields that describe an impersonated user', () => {
      const extra = { 'example.org/Scope': ['a', 'b'] };
      const fields = { as: 'jane', 'as-uid': '1', 'as-groups': ['g', 'h'], 'as-user-extra': extra };
      const { impersonation } = user(fields).getCurrentUser() ?? {};
      assert.deepEqual(impersonation, { uid: '1', groups: ['g', 'h'], extra });
      assert.deepEqual(impersonationHeaders(impersonation ?? assert.fail()), {
        'Impersonate-Uid': '1',
        'Impersonate-Group': ['g', 'h'],
        'Impersonate-Extra-example.org%2FScope': ['a', 'b'],
      });
      assert.equal(user({ as: 'jane', 'as-groups': [], 'as-uid': '' }).getCurrentUser()?.impersonation, undefined);
    });

    for (const field of [{ 'as-uid': '1' }, { 'as-groups': ['g'] }, { 'as-user-extra': { a: ['b'] } }]) {
      it(`refuses ${Object.keys(field)[0]} without a user to act as`, () => {
        assert.throws(
          () => user(field),
          /^Error: kubeconfig: .*: as-uid, as-groups and as-user-extra require the field "as"$/,
        );
      });
    }

    it('a credential plugin whose command has a slash is looked up in the folder of the kubeconfig', () => {
      const apiVersion = 'client.authentication.k8s.io/v1';
      const command = (name: string) => user({ exec: { apiVersion, command: name } }).getCurrentUser()?.plugin?.command;
      assert.equal(command('./bin/login'), join(folder, 'bin', 'login'));
      assert.equal(command('/bin/login'), '/bin/login');
      assert.equal(command('login'), 'login');
    });

    const wrong: [title: string, exec: object, message: RegExp][] = [
      ['without a command', { apiVersion: 'client.authentication.k8s.io/v1' }, /exec\.command is missing/],
      [
        'of a removed version',
        { apiVersion: 'client.authentication.k8s.io/v1alpha1', command: 'x' },
        /exec\.apiVersion of x must be/,
      ],
    ];
    for (const [title, exec, message] of wrong) {
      it(`refuses a plugin ${title}`, () => assert.throws(() => user({ exec }), message));
    }
  });
});
