/** Tests commands that cannot reach a cluster. The error messages name the files and servers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { clusterError } from '../../cli/cluster-error.ts';
import type { Json } from '../../hack/controlplane/api.ts';
import { cappol } from '../support/cappol.ts';
import { sharedControlPlane } from '../support/control-plane.ts';

describe('the errors of cappol with a cluster', () => {
  let folder: string;
  let config: Json;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-cluster-errors-'));
    const { kubeconfig } = await sharedControlPlane();
    config = load(readFileSync(kubeconfig, 'utf8'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs a command that fails. @returns the only line of its message */
  async function complaint(cluster: Json, user?: Json): Promise<string> {
    const file = join(folder, 'kubeconfig');
    const changed = structuredClone(config);
    Object.assign(changed.clusters[0].cluster, cluster);
    if (user) changed.users[0].user = user;
    writeFileSync(file, dump(changed, { skipInvalid: true }));
    const { code, stderr } = await cappol(['status', '-A', '--kubeconfig', file]);
    assert.equal(code, 2, stderr);
    assert.doesNotMatch(stderr, /ENOENT|--use-system-ca/);
    return stderr;
  }

  it('says that a token is wrong', async () => {
    const line = await complaint({}, { token: 'wrong' });
    assert.match(
      line,
      /^cappol: the API server at https:\S+ does not accept the token or certificate of the kubeconfig, which is wrong or has expired\n$/,
    );
  });

  it('the error names a certificate file that does not exist', async () => {
    const missing = join(folder, 'missing.crt');
    const line = await complaint({}, { 'client-certificate': missing, 'client-key': missing });
    assert.equal(line, `cappol: the kubeconfig names the file ${missing}, which does not exist\n`);
  });

  it('the error says that a certificate file is not PEM', async () => {
    const broken = join(folder, 'broken.crt');
    writeFileSync(broken, 'no certificate');
    const line = await complaint({}, { 'client-certificate': broken, 'client-key': broken });
    assert.match(
      line,
      /^cappol: the certificate, key or certificate authority of the kubeconfig is not a PEM file: .*\n$/,
    );
    const folderOnly = await complaint({}, { 'client-certificate': folder, 'client-key': folder });
    assert.match(
      folderOnly,
      /^cappol: the certificate, key or certificate authority of the kubeconfig is not a PEM file: .*\n$/,
    );
  });

  it('the error names a server that does not listen or is unknown', async () => {
    const refused = await complaint({ server: 'https://127.0.0.1:9' });
    assert.equal(
      refused,
      'cappol: cannot reach the cluster at https://127.0.0.1:9: nothing listens at this address (ECONNREFUSED)\n',
    );
    const unknown = await complaint({ server: 'https://nowhere.invalid' });
    assert.match(
      unknown,
      /^cappol: cannot reach the cluster at https:\/\/nowhere\.invalid: the host name (is unknown \(ENOTFOUND\)|cannot be resolved at the moment \(EAI_AGAIN\))\n$/,
    );
  });

  it('the error says that a server does not answer', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const server = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    try {
      const line = await complaint({ server });
      const code = 'UND_ERR_CONNECT_TIMEOUT';
      assert.equal(line, `cappol: cannot reach the cluster at ${server}: it does not answer (${code})\n`);
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  it('the error names the code of a timeout, although Node gives it a number', async () => {
    const signal = AbortSignal.timeout(1);
    await once(signal, 'abort');
    const error = clusterError(signal.reason, 'https://slow.example') as Error;
    assert.equal(error.message, 'cannot reach the cluster at https://slow.example: it does not answer (ETIMEDOUT)');
  });

  it('says that the authority is another one', async () => {
    const line = await complaint({ 'certificate-authority': undefined, 'certificate-authority-data': undefined });
    assert.match(
      line,
      /^cappol: cannot reach the cluster at \S+: the server certificate is not signed by the certificate-authority of the kubeconfig \([A-Z_]+\)\n$/,
    );
  });

  it('says that the kubeconfig does not exist', async () => {
    const missing = join(folder, 'none.yaml');
    const { code, stderr } = await cappol(['status', '-A', '--kubeconfig', missing]);
    assert.deepEqual({ code, stderr }, { code: 2, stderr: `cappol: kubeconfig: ${missing} does not exist\n` });
  });
});
